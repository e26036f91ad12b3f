-- Absences: for how long somebody is away, and who decides meanwhile.

-- +goose Up

CREATE TABLE absences (
	id          uuid CONSTRAINT absences_pkey PRIMARY KEY,
	identity_id uuid NOT NULL CONSTRAINT absences_identity_fkey REFERENCES identities,
	deputy_id   uuid NOT NULL CONSTRAINT absences_deputy_fkey REFERENCES identities,
	-- From starts until before ends. No two of one identity overlap, which is held
	-- under the lock of its row.
	starts      timestamptz(3) NOT NULL,
	ends        timestamptz(3) NOT NULL,
	creator_id  uuid NOT NULL,
	created     timestamptz(3) NOT NULL,
	modified    timestamptz(3) NOT NULL,
	-- When the items are to be looked through next; NULL once all are back.
	due         timestamptz(3),
	CONSTRAINT absences_span CHECK (starts < ends),
	CONSTRAINT absences_somebody_else CHECK (deputy_id <> identity_id)
);
CREATE INDEX absences_identity ON absences (identity_id, ends);
CREATE INDEX absences_deputy ON absences (deputy_id, ends);
CREATE INDEX absences_due ON absences (due) WHERE due IS NOT NULL;

ALTER TABLE approval_items
	-- In whose place the one who has the item decides, or decided; NULL where in
	-- nobody's.
	ADD COLUMN delegated_from uuid;
CREATE INDEX approval_items_delegated ON approval_items (delegated_from)
	WHERE delegated_from IS NOT NULL AND status = 'PENDING';

-- +goose StatementBegin
DO $$
DECLARE
	app text := current_setting('gatehouse.app_role', true);
BEGIN
	IF coalesce(app, '') <> '' THEN
		EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON absences TO %I', app);
	END IF;
END
$$;
-- +goose StatementEnd
