-- Tokens: what clients are called and when they were used, when a signing key
-- takes over, and the windows of the rate limit.

-- +goose Up

ALTER TABLE clients
	ADD COLUMN description text NOT NULL DEFAULT '',
	-- When it last got a token or called; kept to the hour. NULL if it never did.
	ADD COLUMN last_used   timestamptz(3);

-- The key that signs is the one whose signs_from passed last. Those that were
-- there sign since they were made.
ALTER TABLE signing_keys ADD COLUMN signs_from timestamptz(3);
UPDATE signing_keys SET signs_from = created;
ALTER TABLE signing_keys ALTER COLUMN signs_from SET NOT NULL;

-- How many requests of a window were handed out. Unlogged: a crash of the
-- database begins the windows anew, and no writing waits for the disk.
CREATE UNLOGGED TABLE rate_windows (
	-- The begin of the SHA-256 of whom it counts.
	key     bytea CONSTRAINT rate_windows_pkey PRIMARY KEY,
	-- The number of the window, counted from the epoch.
	slot    bigint NOT NULL,
	used    integer NOT NULL,
	-- What was handed out last.
	granted integer NOT NULL
) WITH (fillfactor = 50);

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
		['clients',      'DELETE'],
		['signing_keys', 'DELETE'],
		['rate_windows', 'SELECT, INSERT, UPDATE, DELETE']
	] LOOP
		EXECUTE format('GRANT %s ON %I TO %I', line[2], line[1], app);
	END LOOP;
END
$$;
-- +goose StatementEnd
