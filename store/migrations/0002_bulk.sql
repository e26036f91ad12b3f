-- +goose Up

-- The number of the last import of the source that was accepted; taken under
-- the row's lock, so that imports have an order.
ALTER TABLE source_counters ADD COLUMN import_sequence bigint NOT NULL DEFAULT 0;

CREATE TABLE import_jobs (
	id               uuid CONSTRAINT import_jobs_pkey PRIMARY KEY,
	source_id        uuid NOT NULL CONSTRAINT import_jobs_source_fkey REFERENCES source_counters ON DELETE CASCADE,
	requester_id     uuid,
	client_id        text COLLATE "C" NOT NULL,
	status           text COLLATE "C" NOT NULL,
	-- NULL while the file arrives.
	sequence         bigint,
	-- Until when the process that receives the file answers for it.
	lease_until      timestamptz(3),
	-- The custom attributes that the file has a column for, and the file's
	-- header as it came.
	columns          text[] NOT NULL,
	header           text NOT NULL,
	-- The most records and pending requests that the source may hold.
	max_per_source   integer NOT NULL,
	total            integer NOT NULL DEFAULT 0,
	-- How many of the rows are in doubt.
	doubts           integer NOT NULL DEFAULT 0,
	-- Rows are done in the order of the file; what is done never comes back.
	done             integer NOT NULL DEFAULT 0,
	created_rows     integer NOT NULL DEFAULT 0,
	updated_rows     integer NOT NULL DEFAULT 0,
	unchanged_rows   integer NOT NULL DEFAULT 0,
	failed_rows      integer NOT NULL DEFAULT 0,
	cancel_requested boolean NOT NULL DEFAULT false,
	created          timestamptz(3) NOT NULL,
	modified         timestamptz(3) NOT NULL,
	started          timestamptz(3),
	finished         timestamptz(3),
	CONSTRAINT import_jobs_status CHECK (
		status IN ('RECEIVING', 'PENDING', 'IN_PROGRESS', 'COMPLETED', 'ERROR', 'CANCELLED')),
	CONSTRAINT import_jobs_sequenced CHECK ((sequence IS NULL) = (status = 'RECEIVING')),
	CONSTRAINT import_jobs_counts CHECK (
		done = created_rows + updated_rows + unchanged_rows + failed_rows AND done <= total),
	CONSTRAINT import_jobs_sequence_key UNIQUE (source_id, sequence)
) WITH (fillfactor = 50);
CREATE INDEX import_jobs_waiting ON import_jobs (source_id, sequence) WHERE status IN ('PENDING', 'IN_PROGRESS');
CREATE INDEX import_jobs_lease ON import_jobs (lease_until) WHERE status = 'RECEIVING';
CREATE INDEX import_jobs_finished ON import_jobs (finished) WHERE finished IS NOT NULL;

-- The rows of files on their way in. Nothing refers to job_id: removing the
-- rows of a job is work of its own, see bulk_garbage. There is one index, so
-- that a file comes in fast; what else is asked of the rows reads all of a job.
CREATE TABLE import_rows (
	job_id              uuid NOT NULL,
	number              integer NOT NULL,
	line                integer NOT NULL,
	-- What a faulty row has none of is NULL or empty.
	start_date          timestamptz(3),
	end_date            timestamptz(3),
	record_id           uuid NOT NULL,
	manager_id          uuid,
	faulty              boolean NOT NULL,
	-- What is wrong with the row unless it equals the stored record.
	doubt_kind          text,
	doubt_column        text,
	doubt               text,
	account_name        text NOT NULL,
	account_name_folded text COLLATE "C" NOT NULL,
	first_name          text NOT NULL,
	first_name_folded   text COLLATE "C" NOT NULL,
	last_name           text NOT NULL,
	last_name_folded    text COLLATE "C" NOT NULL,
	phone               text NOT NULL,
	email               text NOT NULL,
	email_folded        text COLLATE "C" NOT NULL,
	data                jsonb NOT NULL,
	cells               text NOT NULL,
	CONSTRAINT import_rows_pkey PRIMARY KEY (job_id, number)
);

-- Rows that could not be taken when their turn came. They go after their job,
-- see bulk_garbage.
CREATE TABLE import_faults (
	job_id      uuid NOT NULL,
	number      integer NOT NULL,
	line        integer NOT NULL,
	column_name text NOT NULL,
	kind        text NOT NULL,
	message     text NOT NULL,
	cells       text NOT NULL,
	CONSTRAINT import_faults_pkey PRIMARY KEY (job_id, number)
);

CREATE TABLE export_schedules (
	id           uuid CONSTRAINT export_schedules_pkey PRIMARY KEY,
	source_id    uuid NOT NULL CONSTRAINT export_schedules_source_fkey REFERENCES source_counters ON DELETE CASCADE,
	cron         text NOT NULL,
	zone         text NOT NULL,
	keep         integer NOT NULL,
	requester_id uuid,
	client_id    text COLLATE "C" NOT NULL,
	created      timestamptz(3) NOT NULL,
	modified     timestamptz(3) NOT NULL,
	CONSTRAINT export_schedules_keep CHECK (keep BETWEEN 1 AND 100)
);
CREATE INDEX export_schedules_source ON export_schedules (source_id, created, id);

CREATE TABLE export_jobs (
	id           uuid CONSTRAINT export_jobs_pkey PRIMARY KEY,
	source_id    uuid NOT NULL CONSTRAINT export_jobs_source_fkey REFERENCES source_counters ON DELETE CASCADE,
	-- The schedule may be gone before its exports.
	schedule_id  uuid,
	requester_id uuid,
	client_id    text COLLATE "C" NOT NULL,
	status       text COLLATE "C" NOT NULL,
	attempt      integer NOT NULL DEFAULT 0,
	rows         integer NOT NULL DEFAULT 0,
	bytes        bigint NOT NULL DEFAULT 0,
	created      timestamptz(3) NOT NULL,
	modified     timestamptz(3) NOT NULL,
	finished     timestamptz(3),
	-- NULL for those that a schedule keeps.
	expires      timestamptz(3),
	CONSTRAINT export_jobs_status CHECK (status IN ('PENDING', 'IN_PROGRESS', 'COMPLETED', 'ERROR'))
) WITH (fillfactor = 50);
CREATE INDEX export_jobs_source_created ON export_jobs (source_id, created DESC, id DESC);
CREATE INDEX export_jobs_schedule ON export_jobs (schedule_id, created DESC) WHERE schedule_id IS NOT NULL;
CREATE INDEX export_jobs_running ON export_jobs (modified) WHERE status IN ('PENDING', 'IN_PROGRESS');
CREATE INDEX export_jobs_kept ON export_jobs (schedule_id)
	WHERE status = 'COMPLETED' AND schedule_id IS NOT NULL AND expires IS NULL;
CREATE INDEX export_jobs_expires ON export_jobs (expires) WHERE expires IS NOT NULL;
CREATE INDEX export_jobs_failed ON export_jobs (finished) WHERE status = 'ERROR';

-- The file of an export, in pieces; number counts those of one attempt from 0.
CREATE TABLE export_chunks (
	job_id  uuid NOT NULL,
	attempt integer NOT NULL,
	number  integer NOT NULL,
	bytes   bytea NOT NULL,
	CONSTRAINT export_chunks_pkey PRIMARY KEY (job_id, attempt, number)
);
-- Compressing would cost more time than writing.
ALTER TABLE export_chunks ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- Jobs of which something is of no use any more and is removed bit by bit: the
-- staged rows and the chunks of those that are listed here, and the faults of
-- those that are gone themselves.
CREATE TABLE bulk_garbage (
	job_id  uuid CONSTRAINT bulk_garbage_pkey PRIMARY KEY,
	-- Up to which number the staged rows are removed.
	removed integer NOT NULL DEFAULT 0,
	created timestamptz(3) NOT NULL
);

-- Schedules that were deleted: Temporal must forget them too.
CREATE TABLE schedule_endings (
	schedule_id uuid CONSTRAINT schedule_endings_pkey PRIMARY KEY,
	created     timestamptz(3) NOT NULL
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
		['import_jobs',      'SELECT, INSERT, UPDATE, DELETE'],
		['import_rows',      'SELECT, INSERT, UPDATE, DELETE'],
		['import_faults',    'SELECT, INSERT, DELETE'],
		['export_schedules', 'SELECT, INSERT, UPDATE, DELETE'],
		['export_jobs',      'SELECT, INSERT, UPDATE, DELETE'],
		['export_chunks',    'SELECT, INSERT, DELETE'],
		['bulk_garbage',     'SELECT, INSERT, UPDATE, DELETE'],
		['schedule_endings', 'SELECT, INSERT, UPDATE, DELETE']
	] LOOP
		EXECUTE format('GRANT %s ON %I TO %I', line[2], line[1], app);
	END LOOP;
END
$$;
-- +goose StatementEnd
