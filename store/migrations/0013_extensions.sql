-- Requests for later end dates of records that are there.

-- +goose Up

-- A request of kind EXTENSION names nobody: whom it is about is in
-- extension_records.
ALTER TABLE requests
	ALTER COLUMN manager_id DROP NOT NULL,
	ALTER COLUMN start_date DROP NOT NULL,
	ALTER COLUMN end_date DROP NOT NULL,
	ADD CONSTRAINT requests_person CHECK (CASE kind
		WHEN 'EXTENSION' THEN num_nonnulls(manager_id, start_date, end_date) = 0 AND account_name = ''
		ELSE num_nulls(manager_id, start_date, end_date) = 0 END);
CREATE INDEX requests_extensions ON requests (created, id) WHERE kind = 'EXTENSION';

-- The kind of the item's request, so that lists of the one pass over the other.
ALTER TABLE approval_items
	ADD COLUMN kind text COLLATE "C" NOT NULL DEFAULT 'CREATION'
		CONSTRAINT approval_items_kind CHECK (kind IN ('CREATION', 'EXTENSION'));

CREATE TABLE extensions (
	request_id uuid CONSTRAINT extensions_pkey PRIMARY KEY
	           CONSTRAINT extensions_request_fkey REFERENCES requests ON DELETE CASCADE,
	-- NULL where the records were given dates of their own.
	end_date   timestamptz(3),
	comment    text NOT NULL,
	-- How many records there are, and how many of them have the status; the others
	-- are PENDING. Kept under the lock of the request.
	records    integer NOT NULL,
	approved   integer NOT NULL DEFAULT 0,
	rejected   integer NOT NULL DEFAULT 0,
	cancelled  integer NOT NULL DEFAULT 0,
	skipped    integer NOT NULL DEFAULT 0,
	CONSTRAINT extensions_counts CHECK (
		least(approved, rejected, cancelled, skipped, records - approved - rejected - cancelled - skipped) >= 0)
);

CREATE TABLE extension_records (
	request_id      uuid NOT NULL CONSTRAINT extension_records_request_fkey REFERENCES extensions ON DELETE CASCADE,
	-- Counts from 1 in the order in which they were asked for.
	number          integer NOT NULL,
	-- The record may be deleted before anybody decides.
	record_id       uuid NOT NULL,
	-- The record's before it was changed, or when the extension was asked for.
	end_date_before timestamptz(3) NOT NULL,
	end_date        timestamptz(3) NOT NULL,
	status          text COLLATE "C" NOT NULL,
	-- Why it was skipped, a code; empty where it was not.
	reason          text COLLATE "C" NOT NULL DEFAULT '',
	-- Who rejected it; NULL where nobody did.
	decided_by      uuid,
	CONSTRAINT extension_records_pkey PRIMARY KEY (request_id, number),
	CONSTRAINT extension_records_status CHECK (status IN ('PENDING', 'APPROVED', 'REJECTED', 'CANCELLED', 'SKIPPED'))
);
CREATE INDEX extension_records_record ON extension_records (record_id);
-- A record has one extension at a time that waits.
CREATE UNIQUE INDEX extension_records_one_pending ON extension_records (record_id) WHERE status = 'PENDING';

-- The records that a decision takes out of an extension, stored before the
-- decision is sent, as its comment is.
CREATE TABLE decision_rejections (
	decision_id uuid NOT NULL CONSTRAINT decision_rejections_decision_fkey REFERENCES decision_comments ON DELETE CASCADE,
	record_id   uuid NOT NULL,
	CONSTRAINT decision_rejections_pkey PRIMARY KEY (decision_id, record_id)
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
		['extensions',          'SELECT, INSERT, UPDATE'],
		['extension_records',   'SELECT, INSERT, UPDATE'],
		['decision_rejections', 'SELECT, INSERT']
	] LOOP
		EXECUTE format('GRANT %s ON %I TO %I', line[2], line[1], app);
	END LOOP;
END
$$;
-- +goose StatementEnd
