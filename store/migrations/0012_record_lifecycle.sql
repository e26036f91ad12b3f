-- The life of a record: the state it is in, how near to its end people have been
-- told, an end before its time, and what each source does about all of it.

-- +goose Up

-- lifecycle_rung is how near to the end of the record people have been told, in
-- days: 366 for not at all, 0 for the end itself, -1 where the record was suspended
-- after it or ended before its time. What is due follows from it, the dates and the
-- policy of the source: a changed policy changes no row.
ALTER TABLE records
	ADD COLUMN lifecycle_state text COLLATE "C" NOT NULL DEFAULT 'ACTIVE'
		CONSTRAINT records_lifecycle_state CHECK (lifecycle_state IN ('PLANNED', 'ACTIVE', 'EXPIRING', 'EXPIRED', 'SUSPENDED')),
	-- Since when it is in that state.
	ADD COLUMN lifecycle_since timestamptz(3) NOT NULL DEFAULT now(),
	ADD COLUMN lifecycle_rung  smallint NOT NULL DEFAULT 366
		CONSTRAINT records_lifecycle_rung CHECK (lifecycle_rung BETWEEN -1 AND 366),
	-- Set where somebody ended it before its time, and why.
	ADD COLUMN ended_at        timestamptz(3),
	ADD COLUMN ended_reason    text NOT NULL DEFAULT '';

-- Who ended before there were warnings is not told of any more, and what a source
-- does at the end is done to them where it is told to do so.
UPDATE records SET lifecycle_state = 'EXPIRED', lifecycle_rung = 0 WHERE end_date <= now();
UPDATE records SET lifecycle_state = 'PLANNED' WHERE start_date > now();

-- What the sweep looks for: of a source those of a rung, by their end, and those
-- whose time begins.
CREATE INDEX records_lifecycle ON records (source_id, lifecycle_rung, end_date) WHERE lifecycle_state <> 'PLANNED';
CREATE INDEX records_planned ON records (start_date) WHERE lifecycle_state = 'PLANNED';
-- Filters on the state, in the order that is read without sorting. Most records are
-- ACTIVE: whoever asks for these reads any order and passes over the few others.
CREATE INDEX records_state_created ON records (lifecycle_state, created, id) WHERE lifecycle_state <> 'ACTIVE';

-- The state that follows from the dates and the rung.
CREATE FUNCTION lifecycle_state_of(starts timestamptz, ends timestamptz, rung smallint, at timestamptz) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN rung < 0 THEN 'SUSPENDED' WHEN starts > at THEN 'PLANNED' WHEN ends <= at THEN 'EXPIRED'
		WHEN rung < 366 THEN 'EXPIRING' ELSE 'ACTIVE' END;

-- Keeps the state right whoever writes the dates. A changed end leaves the ladder
-- and enters it anew; one that was told stays so unless it moves into the future.
-- Who writes the rung says where the record stands, and the state with it.
-- +goose StatementBegin
CREATE FUNCTION records_follow_dates() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	state text;
BEGIN
	IF TG_OP = 'UPDATE' THEN
		IF NEW.lifecycle_rung <> OLD.lifecycle_rung THEN
			RETURN NEW;
		END IF;
		IF NEW.end_date <> OLD.end_date AND (NEW.end_date > now() OR OLD.lifecycle_rung > 0) THEN
			NEW.lifecycle_rung := 366;
			NEW.ended_at := NULL;
			NEW.ended_reason := '';
		END IF;
	END IF;
	state := lifecycle_state_of(NEW.start_date, NEW.end_date, NEW.lifecycle_rung, now());
	IF state <> NEW.lifecycle_state THEN
		NEW.lifecycle_state := state;
		NEW.lifecycle_since := now();
	END IF;
	RETURN NEW;
END
$$;
-- +goose StatementEnd
-- A row that is written within its dates is ACTIVE, which is the default.
CREATE TRIGGER records_made BEFORE INSERT ON records FOR EACH ROW
	WHEN (NEW.start_date > now() OR NEW.end_date <= now()) EXECUTE FUNCTION records_follow_dates();
CREATE TRIGGER records_moved BEFORE UPDATE OF start_date, end_date ON records FOR EACH ROW
	WHEN (NEW.start_date <> OLD.start_date OR NEW.end_date <> OLD.end_date) EXECUTE FUNCTION records_follow_dates();

-- What is done about dates. source_id is NULL for the organisation's, which is that
-- of every source without one.
CREATE TABLE lifecycle_policies (
	source_id uuid CONSTRAINT lifecycle_policies_source_fkey REFERENCES source_counters ON DELETE CASCADE,
	-- lifecycle.LifecyclePolicy as JSON; NULL for a source that had one and follows
	-- the organisation's again.
	policy    jsonb,
	-- Since when what it does at the end is what it is. Nothing is done to a record
	-- before its grace has passed since then, however long ago it ended.
	end_since timestamptz(3) NOT NULL,
	modified  timestamptz(3) NOT NULL,
	CONSTRAINT lifecycle_policies_default CHECK (source_id IS NOT NULL OR policy IS NOT NULL)
);
CREATE UNIQUE INDEX lifecycle_policies_source_key ON lifecycle_policies
	(coalesce(source_id, '00000000-0000-0000-0000-000000000000'));

-- lifecycle.DefaultLifecyclePolicy.
INSERT INTO lifecycle_policies (source_id, policy, end_since, modified) VALUES (NULL, '{
	"warnings": [
		{"days": 30, "to": ["ACCOUNT_MANAGERS", "MANAGER"]},
		{"days": 14, "to": ["ACCOUNT_MANAGERS", "MANAGER"]},
		{"days": 7, "to": ["ACCOUNT_MANAGERS", "MANAGER"]},
		{"days": 1, "to": ["ACCOUNT_MANAGERS", "MANAGER"]}
	],
	"end": {"action": "NONE", "graceDays": 0},
	"extension": {"approval": "REQUIRED"}
}', now(), now());

-- +goose StatementBegin
DO $$
DECLARE
	app text := current_setting('gatehouse.app_role', true);
BEGIN
	IF coalesce(app, '') <> '' THEN
		EXECUTE format('GRANT SELECT, INSERT, UPDATE ON lifecycle_policies TO %I', app);
	END IF;
END
$$;
-- +goose StatementEnd
