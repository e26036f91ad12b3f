-- The first schema. Texts that are compared without regard to case have a
-- column beside them that holds their folded form (lifecycle.Fold), collated
-- by bytes: the database never folds, so there is one rule of what is alike.

-- +goose Up

-- One row: what there is to count about the whole organisation.
CREATE TABLE organisation (
	id      boolean CONSTRAINT organisation_pkey PRIMARY KEY DEFAULT true CONSTRAINT organisation_one CHECK (id),
	sources integer NOT NULL DEFAULT 0 CONSTRAINT organisation_sources CHECK (sources >= 0)
);
INSERT INTO organisation DEFAULT VALUES;

CREATE TABLE identities (
	id           uuid CONSTRAINT identities_pkey PRIMARY KEY,
	alias        text NOT NULL,
	alias_folded text COLLATE "C" NOT NULL CONSTRAINT identities_alias_key UNIQUE,
	name         text NOT NULL,
	email        text NOT NULL,
	levels       text[] NOT NULL,
	active       boolean NOT NULL,
	created      timestamptz(3) NOT NULL,
	modified     timestamptz(3) NOT NULL
);
-- The sweep looks for requests that wait for somebody who is gone.
CREATE INDEX identities_inactive ON identities (id) WHERE NOT active;

CREATE TABLE workgroups (
	id          uuid CONSTRAINT workgroups_pkey PRIMARY KEY,
	name        text NOT NULL,
	name_folded text COLLATE "C" NOT NULL CONSTRAINT workgroups_name_key UNIQUE,
	created     timestamptz(3) NOT NULL
);

CREATE TABLE workgroup_members (
	workgroup_id uuid NOT NULL CONSTRAINT workgroup_members_workgroup_fkey REFERENCES workgroups ON DELETE CASCADE,
	identity_id  uuid NOT NULL CONSTRAINT workgroup_members_identity_fkey REFERENCES identities ON DELETE CASCADE,
	CONSTRAINT workgroup_members_pkey PRIMARY KEY (workgroup_id, identity_id)
);
CREATE INDEX workgroup_members_identity ON workgroup_members (identity_id);

CREATE TABLE clients (
	id          text COLLATE "C" CONSTRAINT clients_pkey PRIMARY KEY,
	name        text NOT NULL,
	secret_hash bytea NOT NULL,
	identity_id uuid CONSTRAINT clients_identity_fkey REFERENCES identities ON DELETE CASCADE,
	rights      text[] NOT NULL,
	scopes      text[] NOT NULL,
	active      boolean NOT NULL,
	created     timestamptz(3) NOT NULL
);
CREATE INDEX clients_identity ON clients (identity_id);

CREATE TABLE signing_keys (
	kid         text COLLATE "C" CONSTRAINT signing_keys_pkey PRIMARY KEY,
	private_key bytea NOT NULL,
	created     timestamptz(3) NOT NULL
);

CREATE TABLE sources (
	id                   uuid CONSTRAINT sources_pkey PRIMARY KEY,
	name                 text NOT NULL,
	name_folded          text COLLATE "C" NOT NULL CONSTRAINT sources_name_key UNIQUE,
	description          text NOT NULL,
	owner_id             uuid NOT NULL CONSTRAINT sources_owner_fkey REFERENCES identities,
	management_workgroup uuid CONSTRAINT sources_workgroup_fkey REFERENCES workgroups,
	created              timestamptz(3) NOT NULL,
	modified             timestamptz(3) NOT NULL
);
CREATE INDEX sources_owner ON sources (owner_id);

-- Approvers and account managers are references: their type says which table
-- the id is of, so there is no foreign key; the store checks that they exist.
CREATE TABLE source_approvers (
	source_id     uuid NOT NULL CONSTRAINT source_approvers_source_fkey REFERENCES sources ON DELETE CASCADE,
	position      smallint NOT NULL,
	approver_id   uuid NOT NULL,
	approver_type text COLLATE "C" NOT NULL,
	CONSTRAINT source_approvers_pkey PRIMARY KEY (source_id, position)
);

CREATE TABLE source_account_managers (
	source_id    uuid NOT NULL CONSTRAINT source_account_managers_source_fkey REFERENCES sources ON DELETE CASCADE,
	position     smallint NOT NULL,
	manager_id   uuid NOT NULL,
	manager_type text COLLATE "C" NOT NULL,
	CONSTRAINT source_account_managers_pkey PRIMARY KEY (source_id, position)
);
CREATE INDEX source_account_managers_manager ON source_account_managers (manager_id, source_id);

-- What is in a source, kept by whoever changes it and under this row's lock:
-- the limit is held against records + pending, lists and summaries take their
-- counts from here. Records and requests hang on this row and not on that of
-- their source, so that writing them never waits for a change of the source.
CREATE TABLE source_counters (
	source_id uuid CONSTRAINT source_counters_pkey PRIMARY KEY
	          CONSTRAINT source_counters_source_fkey REFERENCES sources ON DELETE CASCADE,
	records   integer NOT NULL DEFAULT 0,
	pending   integer NOT NULL DEFAULT 0,
	approved  integer NOT NULL DEFAULT 0,
	rejected  integer NOT NULL DEFAULT 0,
	cancelled integer NOT NULL DEFAULT 0,
	-- Approval items of all requests.
	items     integer NOT NULL DEFAULT 0,
	CONSTRAINT source_counters_not_negative CHECK (
		least(records, pending, approved, rejected, cancelled, items) >= 0)
) WITH (fillfactor = 50);

CREATE TABLE schema_attributes (
	id                    uuid CONSTRAINT schema_attributes_pkey PRIMARY KEY,
	source_id             uuid NOT NULL CONSTRAINT schema_attributes_source_fkey REFERENCES sources ON DELETE CASCADE,
	type                  text NOT NULL,
	technical_name        text NOT NULL,
	technical_name_folded text COLLATE "C" NOT NULL,
	label                 text NOT NULL,
	help_text             text NOT NULL,
	placeholder           text NOT NULL,
	required              boolean NOT NULL,
	system                boolean NOT NULL,
	position              integer NOT NULL,
	created               timestamptz(3) NOT NULL,
	modified              timestamptz(3) NOT NULL,
	CONSTRAINT schema_attributes_name_key UNIQUE (source_id, technical_name_folded),
	CONSTRAINT schema_attributes_position_key UNIQUE (source_id, position)
);

-- The account names in use in a source: one row for each record and for each
-- pending request.
CREATE TABLE account_names (
	source_id uuid NOT NULL,
	folded    text COLLATE "C" NOT NULL,
	-- The record or request that holds the name.
	holder    uuid NOT NULL,
	CONSTRAINT account_names_pkey PRIMARY KEY (source_id, folded)
);

CREATE TABLE records (
	id                  uuid CONSTRAINT records_pkey PRIMARY KEY,
	source_id           uuid NOT NULL CONSTRAINT records_source_fkey REFERENCES source_counters,
	account_name        text NOT NULL,
	account_name_folded text COLLATE "C" NOT NULL,
	first_name          text NOT NULL,
	first_name_folded   text COLLATE "C" NOT NULL,
	last_name           text NOT NULL,
	last_name_folded    text COLLATE "C" NOT NULL,
	phone               text NOT NULL,
	email               text NOT NULL,
	email_folded        text COLLATE "C" NOT NULL,
	manager_id          uuid NOT NULL CONSTRAINT records_manager_fkey REFERENCES identities,
	start_date          timestamptz(3) NOT NULL,
	end_date            timestamptz(3) NOT NULL,
	data                jsonb NOT NULL,
	created             timestamptz(3) NOT NULL,
	modified            timestamptz(3) NOT NULL,
	CONSTRAINT records_dates CHECK (end_date > start_date)
);
-- The orders that are read without sorting, over everything and in a source.
CREATE INDEX records_created ON records (created, id);
CREATE INDEX records_modified ON records (modified, id);
CREATE INDEX records_account_name ON records (account_name_folded, id);
CREATE INDEX records_end_date ON records (end_date, id);
CREATE INDEX records_source_created ON records (source_id, created, id);
CREATE INDEX records_source_account_name ON records (source_id, account_name_folded, id);
-- Filters by equality, prefix or range; within a source its rows are few enough.
CREATE INDEX records_first_name ON records (first_name_folded);
CREATE INDEX records_last_name ON records (last_name_folded);
CREATE INDEX records_email ON records (email_folded);
CREATE INDEX records_manager ON records (manager_id);
CREATE INDEX records_start_date ON records (start_date);

CREATE TABLE requests (
	id                  uuid CONSTRAINT requests_pkey PRIMARY KEY,
	source_id           uuid NOT NULL CONSTRAINT requests_source_fkey REFERENCES source_counters,
	-- NULL where an application client asked.
	requester_id        uuid,
	account_name        text NOT NULL,
	account_name_folded text COLLATE "C" NOT NULL,
	first_name          text NOT NULL,
	first_name_folded   text COLLATE "C" NOT NULL,
	last_name           text NOT NULL,
	last_name_folded    text COLLATE "C" NOT NULL,
	phone               text NOT NULL,
	email               text NOT NULL,
	email_folded        text COLLATE "C" NOT NULL,
	manager_id          uuid NOT NULL CONSTRAINT requests_manager_fkey REFERENCES identities,
	start_date          timestamptz(3) NOT NULL,
	end_date            timestamptz(3) NOT NULL,
	data                jsonb NOT NULL,
	approval_status     text COLLATE "C" NOT NULL,
	completion_date     timestamptz(3),
	created             timestamptz(3) NOT NULL,
	modified            timestamptz(3) NOT NULL,
	-- Why it was cancelled, a code; empty where it was not.
	cancellation_reason text COLLATE "C" NOT NULL DEFAULT '',
	-- When the workflow was last known to stand where these rows do; before
	-- modified if they moved without it.
	workflow_seen_at    timestamptz(3) NOT NULL DEFAULT 'epoch',
	-- When the sweep last looked after the workflow.
	workflow_checked_at timestamptz(3) NOT NULL DEFAULT 'epoch',
	CONSTRAINT requests_dates CHECK (end_date > start_date),
	CONSTRAINT requests_status CHECK (approval_status IN ('PENDING', 'APPROVED', 'REJECTED', 'CANCELLED'))
);
CREATE INDEX requests_created ON requests (created, id);
CREATE INDEX requests_status_created ON requests (approval_status, created, id);
CREATE INDEX requests_account_name ON requests (account_name_folded, id);
CREATE INDEX requests_source_created ON requests (source_id, created, id);
CREATE INDEX requests_source_status ON requests (source_id, approval_status);
CREATE INDEX requests_manager ON requests (manager_id);
-- What the sweep looks for. A decided request leaves both for good.
CREATE INDEX requests_unseen ON requests (workflow_checked_at, id) WHERE workflow_seen_at < modified;
CREATE INDEX requests_unchecked ON requests (workflow_checked_at, id) WHERE approval_status = 'PENDING';

CREATE TABLE approval_items (
	id            uuid CONSTRAINT approval_items_pkey PRIMARY KEY,
	request_id    uuid NOT NULL CONSTRAINT approval_items_request_fkey REFERENCES requests ON DELETE CASCADE,
	position      smallint NOT NULL,
	approver_id   uuid NOT NULL,
	approver_type text COLLATE "C" NOT NULL,
	status        text COLLATE "C" NOT NULL,
	comment       text NOT NULL DEFAULT '',
	decided_by    uuid,
	decision_id   uuid,
	pending_since timestamptz(3),
	created       timestamptz(3) NOT NULL,
	modified      timestamptz(3) NOT NULL,
	CONSTRAINT approval_items_position_key UNIQUE (request_id, position),
	CONSTRAINT approval_items_status CHECK (status IN ('NOT_READY', 'PENDING', 'APPROVED', 'REJECTED', 'CANCELLED')),
	CONSTRAINT approval_items_decided CHECK ((decided_by IS NULL) = (status NOT IN ('APPROVED', 'REJECTED')))
);
CREATE INDEX approval_items_created ON approval_items (created, id);
CREATE INDEX approval_items_modified ON approval_items (modified, id);
CREATE INDEX approval_items_status_created ON approval_items (status, created, id);
CREATE INDEX approval_items_approver_created ON approval_items (approver_id, created, id);
CREATE INDEX approval_items_approver_status ON approval_items (approver_id, status, created, id);
CREATE INDEX approval_items_pending ON approval_items (pending_since) WHERE status = 'PENDING';
-- A request has one item at a time that waits.
CREATE UNIQUE INDEX approval_items_one_pending ON approval_items (request_id) WHERE status = 'PENDING';

-- Comments of decisions, stored before the decision is sent: they don't travel
-- with it.
CREATE TABLE decision_comments (
	decision_id uuid CONSTRAINT decision_comments_pkey PRIMARY KEY,
	item_id     uuid NOT NULL CONSTRAINT decision_comments_item_fkey REFERENCES approval_items ON DELETE CASCADE,
	approver_id uuid NOT NULL,
	verdict     text NOT NULL,
	comment     text NOT NULL,
	created     timestamptz(3) NOT NULL
);
CREATE INDEX decision_comments_item ON decision_comments (item_id);

-- What people are to be told. It outlives the request, whose deletion must not
-- keep anybody from being told what happened before; it holds ids alone.
CREATE TABLE notifications (
	id             uuid CONSTRAINT notifications_pkey PRIMARY KEY,
	event          text NOT NULL,
	request_id     uuid NOT NULL,
	-- The nil UUID for an event about the whole request.
	item_id        uuid NOT NULL,
	recipient_id   uuid NOT NULL,
	recipient_type text COLLATE "C" NOT NULL,
	-- Why it happened, a code; empty for most events.
	reason         text COLLATE "C" NOT NULL,
	created        timestamptz(3) NOT NULL,
	CONSTRAINT notifications_once UNIQUE (event, request_id, item_id, recipient_id)
);

-- Requests that were deleted while pending: their workflows must end.
CREATE TABLE workflow_endings (
	request_id uuid CONSTRAINT workflow_endings_pkey PRIMARY KEY,
	created    timestamptz(3) NOT NULL
);
CREATE INDEX workflow_endings_created ON workflow_endings (created);

-- The application's role gets what it needs, table by table, and no DDL. The
-- setting is empty where it is the owner itself that runs the application.
-- +goose StatementBegin
DO $$
DECLARE
	app  text := current_setting('gatehouse.app_role', true);
	line text[];
BEGIN
	IF coalesce(app, '') = '' THEN
		RETURN;
	END IF;
	EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), app);
	FOREACH line SLICE 1 IN ARRAY ARRAY[
		['gatehouse_migrations',    'SELECT'],
		['organisation',            'SELECT, UPDATE'],
		['identities',              'SELECT, INSERT, UPDATE'],
		['workgroups',              'SELECT, INSERT, UPDATE'],
		['workgroup_members',       'SELECT, INSERT, DELETE'],
		['clients',                 'SELECT, INSERT, UPDATE'],
		['signing_keys',            'SELECT, INSERT'],
		['sources',                 'SELECT, INSERT, UPDATE, DELETE'],
		['source_approvers',        'SELECT, INSERT, DELETE'],
		['source_account_managers', 'SELECT, INSERT, DELETE'],
		['source_counters',         'SELECT, INSERT, UPDATE'],
		['schema_attributes',       'SELECT, INSERT, UPDATE, DELETE'],
		['account_names',           'SELECT, INSERT, UPDATE, DELETE'],
		['records',                 'SELECT, INSERT, UPDATE, DELETE'],
		['requests',                'SELECT, INSERT, UPDATE, DELETE'],
		['approval_items',          'SELECT, INSERT, UPDATE'],
		['decision_comments',       'SELECT, INSERT'],
		['notifications',           'SELECT, INSERT'],
		['workflow_endings',        'SELECT, INSERT, UPDATE, DELETE']
	] LOOP
		EXECUTE format('GRANT %s ON %I TO %I', line[2], line[1], app);
	END LOOP;
END
$$;
-- +goose StatementEnd
