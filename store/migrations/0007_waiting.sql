-- What a request waits by: the approval policy of its source, the items that
-- move from one approver to another, and an outbox that holds more than the
-- events of requests.

-- +goose Up

-- Versions of approval policies; a row never changes but for current. source_id is
-- NULL for the organisation's, which is that of every source without one.
CREATE TABLE approval_policies (
	id        uuid CONSTRAINT approval_policies_pkey PRIMARY KEY,
	source_id uuid CONSTRAINT approval_policies_source_fkey REFERENCES source_counters ON DELETE CASCADE,
	version   integer NOT NULL,
	current   boolean NOT NULL,
	-- lifecycle.ApprovalPolicy as JSON.
	policy    jsonb NOT NULL,
	created   timestamptz(3) NOT NULL
);
CREATE UNIQUE INDEX approval_policies_version_key ON approval_policies
	(coalesce(source_id, '00000000-0000-0000-0000-000000000000'), version);
CREATE UNIQUE INDEX approval_policies_current_key ON approval_policies
	(coalesce(source_id, '00000000-0000-0000-0000-000000000000')) WHERE current;

-- lifecycle.DefaultApprovalPolicy.
INSERT INTO approval_policies (id, source_id, version, current, policy, created) VALUES
	('6d1b9b0e-52f4-4c0e-9a33-0f6c7b1f7a01', NULL, 1, true, '{
		"reminderConfig": {"enabled": true, "daysUntilFirstReminder": 3, "reminderCronSchedule": "@every 72h", "maxReminders": 20},
		"escalationConfig": {"enabled": false, "daysUntilFirstEscalation": 0, "escalationCronSchedule": "", "escalationChain": []},
		"timeoutConfig": {"enabled": true, "daysUntilTimeout": 90, "timeoutResult": "EXPIRED"},
		"cronTimezone": {"location": "", "offset": ""},
		"selfApproval": false
	}', now());

ALTER TABLE requests
	-- NULL for requests from before there were policies: nothing falls due for them.
	ADD COLUMN policy_id uuid CONSTRAINT requests_policy_fkey REFERENCES approval_policies,
	-- What is asked for: EXTENSION asks for end dates of records that are there,
	-- names nobody and has no place in the lists of the contract.
	ADD COLUMN kind      text COLLATE "C" NOT NULL DEFAULT 'CREATION'
		CONSTRAINT requests_kind CHECK (kind IN ('CREATION', 'EXTENSION'));
CREATE INDEX requests_policy ON requests (policy_id) WHERE policy_id IS NOT NULL;

ALTER TABLE approval_items
	-- When the one who has it now got it; NULL as long as pending_since is.
	ADD COLUMN assigned_since timestamptz(3),
	-- How many reminders that one got, and how many steps of the chain of
	-- escalation the item has gone; both with what fell due together counted as so
	-- many, told once.
	ADD COLUMN reminders      smallint NOT NULL DEFAULT 0,
	ADD COLUMN escalations    smallint NOT NULL DEFAULT 0;
UPDATE approval_items SET assigned_since = pending_since WHERE pending_since IS NOT NULL;

-- How items went from one to another, never changed.
CREATE TABLE approval_reassignments (
	id            uuid CONSTRAINT approval_reassignments_pkey PRIMARY KEY,
	item_id       uuid NOT NULL CONSTRAINT approval_reassignments_item_fkey REFERENCES approval_items ON DELETE CASCADE,
	-- Counts from 1 within the item.
	number        integer NOT NULL,
	type          text COLLATE "C" NOT NULL,
	from_id       uuid NOT NULL,
	from_type     text COLLATE "C" NOT NULL,
	to_id         uuid NOT NULL,
	to_type       text COLLATE "C" NOT NULL,
	-- NULL where nobody in particular did it.
	reassigner_id uuid,
	comment       text NOT NULL,
	created       timestamptz(3) NOT NULL,
	CONSTRAINT approval_reassignments_number_key UNIQUE (item_id, number),
	CONSTRAINT approval_reassignments_type CHECK (
		type IN ('MANUAL_REASSIGNMENT', 'ESCALATION', 'AUTO_REASSIGNMENT', 'DELEGATION'))
);

-- Whom the identity answers to; NULL where nobody is known.
ALTER TABLE identities
	ADD COLUMN manager_id uuid CONSTRAINT identities_manager_fkey REFERENCES identities;
CREATE INDEX identities_manager ON identities (manager_id) WHERE manager_id IS NOT NULL;

ALTER TABLE notifications
	-- What tells two events of a type about the same item apart, such as the number
	-- of a reminder.
	ADD COLUMN key       text COLLATE "C" NOT NULL DEFAULT '',
	ADD COLUMN source_id uuid,
	-- The records that it is about, in notification_records.
	ADD COLUMN batch_id  uuid,
	-- Ids, counts, codes and dates.
	ADD COLUMN facts     jsonb NOT NULL DEFAULT '{}';
ALTER TABLE notifications DROP CONSTRAINT notifications_once;
ALTER TABLE notifications ADD CONSTRAINT notifications_once UNIQUE (event, request_id, item_id, recipient_id, key);

CREATE TABLE notification_records (
	batch_id  uuid NOT NULL,
	record_id uuid NOT NULL,
	CONSTRAINT notification_records_pkey PRIMARY KEY (batch_id, record_id)
);

-- +goose StatementBegin
DO $$
DECLARE
	app  text := current_setting('gatehouse.app_role', true);
	line text[];
BEGIN
	IF coalesce(app, '') = '' THEN
		RETURN;
	END IF;
	FOREACH line SLICE 1 IN ARRAY ARRAY[
		['approval_policies',      'SELECT, INSERT, UPDATE'],
		['approval_reassignments', 'SELECT, INSERT'],
		['notifications',          'UPDATE, DELETE'],
		['notification_records',   'SELECT, INSERT, DELETE']
	] LOOP
		EXECUTE format('GRANT %s ON %I TO %I', line[2], line[1], app);
	END LOOP;
END
$$;
-- +goose StatementEnd
