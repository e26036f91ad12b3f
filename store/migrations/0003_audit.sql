-- The audit trail: who changed what. An entry is inserted in the transaction of
-- its change and never changed or removed: the application's role can't.

-- +goose Up

CREATE SEQUENCE audit_numbers;

CREATE TABLE audit_entries (
	id            bigint CONSTRAINT audit_entries_pkey PRIMARY KEY,
	occurred      timestamptz(3) NOT NULL,
	channel       text COLLATE "C" NOT NULL,
	operation     text COLLATE "C" NOT NULL,
	outcome       text COLLATE "C" NOT NULL,
	-- Both NULL where nobody in particular did it.
	identity_id   uuid,
	-- Of an application; that of a person stands with the details.
	client_id     text COLLATE "C",
	tracking_id   text COLLATE "C",
	action        text COLLATE "C" NOT NULL,
	object_type   text COLLATE "C" NOT NULL,
	object_id     text COLLATE "C" NOT NULL,
	source_id     uuid,
	-- Counts, codes and ids as JSON, to the byte as they were hashed.
	facts         text NOT NULL,
	-- SHA-256 of salt and text of the details; NULL where there are none.
	actor_digest  bytea,
	change_digest bytea,
	CONSTRAINT audit_entries_digests CHECK (
		coalesce(length(actor_digest), 32) = 32 AND coalesce(length(change_digest), 32) = 32)
);
CREATE INDEX audit_entries_occurred ON audit_entries (occurred, id);
CREATE INDEX audit_entries_identity ON audit_entries (identity_id, occurred, id) WHERE identity_id IS NOT NULL;
CREATE INDEX audit_entries_object ON audit_entries (object_id, occurred, id);

-- What an entry says about people. A part that is erased is NULL, salt and all:
-- its digest then tells nothing to who has a guess of the text. There is no
-- foreign key: entries are never removed, and their writers need not look.
CREATE TABLE audit_details (
	entry_id    bigint CONSTRAINT audit_details_pkey PRIMARY KEY,
	-- Client and address of a caller, JSON.
	actor       text,
	actor_salt  bytea,
	-- The object before and after, JSON.
	change      text,
	change_salt bytea,
	-- By what a person who is to be erased is found: folded names and mail
	-- addresses, and ids of objects. There is no index, erasing is rare.
	subjects    text[]
);

-- Entries that are not in the chain yet. What is in the chain is told by
-- audit_seals alone; this table saves the search for what is not.
CREATE TABLE audit_tail (
	entry_id bigint CONSTRAINT audit_tail_pkey PRIMARY KEY,
	txid     xid8 NOT NULL
);

-- The chain: the hash at a position covers the entry there and the hash before.
CREATE TABLE audit_seals (
	position bigint CONSTRAINT audit_seals_pkey PRIMARY KEY,
	entry_id bigint NOT NULL CONSTRAINT audit_seals_entry_key UNIQUE,
	hash     bytea NOT NULL,
	sealed   timestamptz(3) NOT NULL,
	CONSTRAINT audit_seals_hash CHECK (length(hash) = 32 AND position > 0)
);

-- A decision travels to its workflow without what is known of its sender; that
-- is kept with its comment.
ALTER TABLE decision_comments
	ADD COLUMN client_id   text COLLATE "C",
	ADD COLUMN tracking_id text COLLATE "C",
	ADD COLUMN address     text;

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
		['SEQUENCE audit_numbers', 'USAGE'],
		['audit_entries',          'SELECT, INSERT'],
		['audit_details',          'SELECT, INSERT'],
		['audit_tail',             'SELECT, INSERT, DELETE'],
		['audit_seals',            'SELECT, INSERT']
	] LOOP
		EXECUTE format('GRANT %s ON %s TO %I', line[2], line[1], app);
	END LOOP;
END
$$;
-- +goose StatementEnd
