-- The directory: what an identity provider keeps here by SCIM. The folded
-- columns of rows that are there already are filled in by store.Migrate, since
-- the database never folds.

-- +goose Up

ALTER TABLE identities
	ADD COLUMN name_folded        text COLLATE "C" NOT NULL DEFAULT '',
	ADD COLUMN email_folded       text COLLATE "C" NOT NULL DEFAULT '',
	ADD COLUMN given_name         text NOT NULL DEFAULT '',
	ADD COLUMN given_name_folded  text COLLATE "C" NOT NULL DEFAULT '',
	ADD COLUMN family_name        text NOT NULL DEFAULT '',
	ADD COLUMN family_name_folded text COLLATE "C" NOT NULL DEFAULT '',
	ADD COLUMN formatted_name     text NOT NULL DEFAULT '',
	-- The directory's own name of the identity, which is compared to the byte.
	ADD COLUMN external_id        text COLLATE "C" NOT NULL DEFAULT '',
	-- Counts the changes, for entity tags.
	ADD COLUMN version            bigint NOT NULL DEFAULT 1,
	-- When it was deleted. Records, requests and sources go on naming the row, so
	-- it stays, without its name being taken.
	ADD COLUMN deleted            timestamptz(3),
	ADD CONSTRAINT identities_deleted CHECK (deleted IS NULL OR NOT active);
ALTER TABLE identities DROP CONSTRAINT identities_alias_key;
CREATE UNIQUE INDEX identities_alias_key ON identities (alias_folded) WHERE deleted IS NULL;
-- Records of a manager who was deleted are found by the manager's alias.
CREATE INDEX identities_alias ON identities (alias_folded);
CREATE INDEX identities_created ON identities (created, id) WHERE deleted IS NULL;
CREATE INDEX identities_name ON identities (name_folded, id) WHERE deleted IS NULL;
CREATE INDEX identities_email ON identities (email_folded) WHERE deleted IS NULL;
CREATE INDEX identities_external ON identities (external_id) WHERE deleted IS NULL;

ALTER TABLE workgroups
	ADD COLUMN external_id text COLLATE "C" NOT NULL DEFAULT '',
	ADD COLUMN modified    timestamptz(3) NOT NULL DEFAULT now(),
	ADD COLUMN version     bigint NOT NULL DEFAULT 1,
	-- As that of identities: sources and approval items go on naming the row.
	ADD COLUMN deleted     timestamptz(3);
UPDATE workgroups SET modified = created;
ALTER TABLE workgroups DROP CONSTRAINT workgroups_name_key;
CREATE UNIQUE INDEX workgroups_name_key ON workgroups (name_folded) WHERE deleted IS NULL;
CREATE INDEX workgroups_created ON workgroups (created, id) WHERE deleted IS NULL;

-- +goose StatementBegin
DO $$
DECLARE
	app text := current_setting('gatehouse.app_role', true);
BEGIN
	IF coalesce(app, '') = '' THEN
		RETURN;
	END IF;
	-- Whose identity is deleted, their tokens go.
	EXECUTE format('GRANT DELETE ON clients TO %I', app);
END
$$;
-- +goose StatementEnd
