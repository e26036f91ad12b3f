-- How people and other systems are told what the outbox collects.

-- +goose Up

ALTER TABLE identities
	-- What they are written to in, in the form of Accept-Language; empty where nobody said.
	ADD COLUMN language text COLLATE "C" NOT NULL DEFAULT '';

ALTER TABLE notifications
	-- The rows of one event, to several recipients, have it in common.
	ADD COLUMN event_id uuid NOT NULL DEFAULT gen_random_uuid(),
	-- When its deliveries were made; NULL until then. What is there already is
	-- told by nobody any more.
	ADD COLUMN relayed  timestamptz(3) DEFAULT now();
ALTER TABLE notifications ALTER COLUMN event_id DROP DEFAULT, ALTER COLUMN relayed DROP DEFAULT;
CREATE INDEX notifications_waiting ON notifications (created, id) WHERE relayed IS NULL;
CREATE INDEX notifications_relayed ON notifications (relayed) WHERE relayed IS NOT NULL;
CREATE INDEX notifications_event ON notifications (event_id);
CREATE INDEX notifications_batch ON notifications (batch_id) WHERE batch_id IS NOT NULL;

-- Where other systems want to be told.
CREATE TABLE webhook_endpoints (
	id        uuid CONSTRAINT webhook_endpoints_pkey PRIMARY KEY,
	url       text NOT NULL,
	-- What its messages are signed with. It can't be a hash: whoever signs needs it.
	secret    bytea NOT NULL,
	-- The events that it wants; empty for all.
	events    text[] NOT NULL,
	enabled   boolean NOT NULL,
	-- Why it was disabled, a code; empty where it is enabled or a person disabled it.
	reason    text COLLATE "C" NOT NULL DEFAULT '',
	created   timestamptz(3) NOT NULL,
	modified  timestamptz(3) NOT NULL
);

-- One for each person that an event is mailed to and for each endpoint that it is
-- posted to.
CREATE TABLE deliveries (
	id              uuid CONSTRAINT deliveries_pkey PRIMARY KEY,
	-- The row of the outbox that says what is told.
	notification_id uuid NOT NULL CONSTRAINT deliveries_notification_fkey REFERENCES notifications ON DELETE CASCADE,
	event_id        uuid NOT NULL,
	event           text COLLATE "C" NOT NULL,
	channel         text COLLATE "C" NOT NULL,
	recipient_id    uuid,
	endpoint_id     uuid CONSTRAINT deliveries_endpoint_fkey REFERENCES webhook_endpoints ON DELETE CASCADE,
	status          text COLLATE "C" NOT NULL,
	-- How often it was tried, and how often of these it may have arrived without
	-- our knowing.
	attempts        integer NOT NULL DEFAULT 0,
	doubts          integer NOT NULL DEFAULT 0,
	-- When the attempt began that has not come to an end; NULL where none has.
	attempted       timestamptz(3),
	-- What was wrong last, a code; empty where nothing was.
	fault           text COLLATE "C" NOT NULL DEFAULT '',
	-- When to look whether its workflow runs.
	due             timestamptz(3) NOT NULL,
	created         timestamptz(3) NOT NULL,
	modified        timestamptz(3) NOT NULL,
	delivered       timestamptz(3),
	CONSTRAINT deliveries_status CHECK (status IN ('PENDING', 'DELIVERED', 'DEAD')),
	CONSTRAINT deliveries_target CHECK (
		channel = 'MAIL' AND recipient_id IS NOT NULL AND endpoint_id IS NULL OR
		channel = 'WEBHOOK' AND endpoint_id IS NOT NULL AND recipient_id IS NULL),
	CONSTRAINT deliveries_delivered CHECK ((delivered IS NULL) = (status <> 'DELIVERED'))
);
-- Whoever is told of an event is told once.
CREATE UNIQUE INDEX deliveries_mail_key ON deliveries (event_id, recipient_id) WHERE channel = 'MAIL';
CREATE UNIQUE INDEX deliveries_webhook_key ON deliveries (event_id, endpoint_id) WHERE channel = 'WEBHOOK';
CREATE INDEX deliveries_due ON deliveries (due, id) WHERE status = 'PENDING';
CREATE INDEX deliveries_notification ON deliveries (notification_id);
CREATE INDEX deliveries_created ON deliveries (created, id);
CREATE INDEX deliveries_status_created ON deliveries (status, created, id);
CREATE INDEX deliveries_endpoint_created ON deliveries (endpoint_id, created, id) WHERE endpoint_id IS NOT NULL;

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
		['webhook_endpoints', 'SELECT, INSERT, UPDATE, DELETE'],
		['deliveries',        'SELECT, INSERT, UPDATE, DELETE']
	] LOOP
		EXECUTE format('GRANT %s ON %I TO %I', line[2], line[1], app);
	END LOOP;
END
$$;
-- +goose StatementEnd
