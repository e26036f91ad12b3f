--
-- PostgreSQL database dump
--



SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: public; Type: SCHEMA; Schema: -; Owner: -
--

-- *not* creating schema, since initdb creates it


--
-- Name: lifecycle_state_of(timestamp with time zone, timestamp with time zone, smallint, timestamp with time zone); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.lifecycle_state_of(starts timestamp with time zone, ends timestamp with time zone, rung smallint, at timestamp with time zone) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (rung < 0) THEN 'SUSPENDED'::text WHEN (starts > at) THEN 'PLANNED'::text WHEN (ends <= at) THEN 'EXPIRED'::text WHEN (rung < 366) THEN 'EXPIRING'::text ELSE 'ACTIVE'::text END;


--
-- Name: records_follow_dates(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.records_follow_dates() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: absences; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.absences (
    id uuid NOT NULL,
    identity_id uuid NOT NULL,
    deputy_id uuid NOT NULL,
    starts timestamp(3) with time zone NOT NULL,
    ends timestamp(3) with time zone NOT NULL,
    creator_id uuid NOT NULL,
    created timestamp(3) with time zone NOT NULL,
    modified timestamp(3) with time zone NOT NULL,
    due timestamp(3) with time zone,
    CONSTRAINT absences_somebody_else CHECK ((deputy_id <> identity_id)),
    CONSTRAINT absences_span CHECK ((starts < ends))
);


--
-- Name: account_names; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.account_names (
    source_id uuid NOT NULL,
    folded text NOT NULL COLLATE pg_catalog."C",
    holder uuid NOT NULL
);


--
-- Name: approval_items; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.approval_items (
    id uuid NOT NULL,
    request_id uuid NOT NULL,
    "position" smallint NOT NULL,
    approver_id uuid NOT NULL,
    approver_type text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL COLLATE pg_catalog."C",
    comment text DEFAULT ''::text NOT NULL,
    decided_by uuid,
    decision_id uuid,
    pending_since timestamp(3) with time zone,
    created timestamp(3) with time zone NOT NULL,
    modified timestamp(3) with time zone NOT NULL,
    assigned_since timestamp(3) with time zone,
    reminders smallint DEFAULT 0 NOT NULL,
    escalations smallint DEFAULT 0 NOT NULL,
    timed_out boolean DEFAULT false NOT NULL,
    delegated_from uuid,
    kind text DEFAULT 'CREATION'::text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT approval_items_decided CHECK ((((decided_by IS NULL) = ((status <> ALL (ARRAY['APPROVED'::text, 'REJECTED'::text])) OR timed_out)) AND ((status = 'APPROVED'::text) OR (NOT timed_out)))),
    CONSTRAINT approval_items_kind CHECK ((kind = ANY (ARRAY['CREATION'::text, 'EXTENSION'::text]))),
    CONSTRAINT approval_items_status CHECK ((status = ANY (ARRAY['NOT_READY'::text, 'PENDING'::text, 'APPROVED'::text, 'REJECTED'::text, 'CANCELLED'::text])))
);


--
-- Name: approval_policies; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.approval_policies (
    id uuid NOT NULL,
    source_id uuid,
    version integer NOT NULL,
    current boolean NOT NULL,
    policy jsonb NOT NULL,
    created timestamp(3) with time zone NOT NULL
);


--
-- Name: approval_reassignments; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.approval_reassignments (
    id uuid NOT NULL,
    item_id uuid NOT NULL,
    number integer NOT NULL,
    type text NOT NULL COLLATE pg_catalog."C",
    from_id uuid NOT NULL,
    from_type text NOT NULL COLLATE pg_catalog."C",
    to_id uuid NOT NULL,
    to_type text NOT NULL COLLATE pg_catalog."C",
    reassigner_id uuid,
    comment text NOT NULL,
    created timestamp(3) with time zone NOT NULL,
    CONSTRAINT approval_reassignments_type CHECK ((type = ANY (ARRAY['MANUAL_REASSIGNMENT'::text, 'ESCALATION'::text, 'AUTO_REASSIGNMENT'::text, 'DELEGATION'::text])))
);


--
-- Name: audit_details; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit_details (
    entry_id bigint NOT NULL,
    actor text,
    actor_salt bytea,
    change text,
    change_salt bytea,
    subjects text[]
);


--
-- Name: audit_entries; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit_entries (
    id bigint NOT NULL,
    occurred timestamp(3) with time zone NOT NULL,
    channel text NOT NULL COLLATE pg_catalog."C",
    operation text NOT NULL COLLATE pg_catalog."C",
    outcome text NOT NULL COLLATE pg_catalog."C",
    identity_id uuid,
    client_id text COLLATE pg_catalog."C",
    tracking_id text COLLATE pg_catalog."C",
    action text NOT NULL COLLATE pg_catalog."C",
    object_type text NOT NULL COLLATE pg_catalog."C",
    object_id text NOT NULL COLLATE pg_catalog."C",
    source_id uuid,
    facts text NOT NULL,
    actor_digest bytea,
    change_digest bytea,
    CONSTRAINT audit_entries_digests CHECK (((COALESCE(length(actor_digest), 32) = 32) AND (COALESCE(length(change_digest), 32) = 32)))
);


--
-- Name: audit_numbers; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.audit_numbers
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: audit_seals; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit_seals (
    "position" bigint NOT NULL,
    entry_id bigint NOT NULL,
    hash bytea NOT NULL,
    sealed timestamp(3) with time zone NOT NULL,
    CONSTRAINT audit_seals_hash CHECK (((length(hash) = 32) AND ("position" > 0)))
);


--
-- Name: audit_tail; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit_tail (
    entry_id bigint NOT NULL,
    txid xid8 NOT NULL
);


--
-- Name: bulk_garbage; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.bulk_garbage (
    job_id uuid NOT NULL,
    removed integer DEFAULT 0 NOT NULL,
    created timestamp(3) with time zone NOT NULL
);


--
-- Name: clients; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.clients (
    id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    secret_hash bytea NOT NULL,
    identity_id uuid,
    rights text[] NOT NULL,
    scopes text[] NOT NULL,
    active boolean NOT NULL,
    created timestamp(3) with time zone NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    last_used timestamp(3) with time zone
);


--
-- Name: decision_comments; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.decision_comments (
    decision_id uuid NOT NULL,
    item_id uuid NOT NULL,
    approver_id uuid NOT NULL,
    verdict text NOT NULL,
    comment text NOT NULL,
    created timestamp(3) with time zone NOT NULL,
    client_id text COLLATE pg_catalog."C",
    tracking_id text COLLATE pg_catalog."C",
    address text
);


--
-- Name: decision_rejections; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.decision_rejections (
    decision_id uuid NOT NULL,
    record_id uuid NOT NULL
);


--
-- Name: deliveries; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.deliveries (
    id uuid NOT NULL,
    notification_id uuid NOT NULL,
    event_id uuid NOT NULL,
    event text NOT NULL COLLATE pg_catalog."C",
    channel text NOT NULL COLLATE pg_catalog."C",
    recipient_id uuid,
    endpoint_id uuid,
    status text NOT NULL COLLATE pg_catalog."C",
    attempts integer DEFAULT 0 NOT NULL,
    doubts integer DEFAULT 0 NOT NULL,
    attempted timestamp(3) with time zone,
    fault text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    due timestamp(3) with time zone NOT NULL,
    created timestamp(3) with time zone NOT NULL,
    modified timestamp(3) with time zone NOT NULL,
    delivered timestamp(3) with time zone,
    CONSTRAINT deliveries_delivered CHECK (((delivered IS NULL) = (status <> 'DELIVERED'::text))),
    CONSTRAINT deliveries_status CHECK ((status = ANY (ARRAY['PENDING'::text, 'DELIVERED'::text, 'DEAD'::text]))),
    CONSTRAINT deliveries_target CHECK ((((channel = 'MAIL'::text) AND (recipient_id IS NOT NULL) AND (endpoint_id IS NULL)) OR ((channel = 'WEBHOOK'::text) AND (endpoint_id IS NOT NULL) AND (recipient_id IS NULL))))
);


--
-- Name: erasures; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.erasures (
    id uuid NOT NULL,
    person jsonb NOT NULL,
    removed jsonb NOT NULL,
    created timestamp(3) with time zone NOT NULL
);


--
-- Name: export_chunks; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.export_chunks (
    job_id uuid NOT NULL,
    attempt integer NOT NULL,
    number integer NOT NULL,
    bytes bytea NOT NULL
);
ALTER TABLE ONLY public.export_chunks ALTER COLUMN bytes SET STORAGE EXTERNAL;


--
-- Name: export_jobs; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.export_jobs (
    id uuid NOT NULL,
    source_id uuid NOT NULL,
    schedule_id uuid,
    requester_id uuid,
    client_id text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL COLLATE pg_catalog."C",
    attempt integer DEFAULT 0 NOT NULL,
    rows integer DEFAULT 0 NOT NULL,
    bytes bigint DEFAULT 0 NOT NULL,
    created timestamp(3) with time zone NOT NULL,
    modified timestamp(3) with time zone NOT NULL,
    finished timestamp(3) with time zone,
    expires timestamp(3) with time zone,
    CONSTRAINT export_jobs_status CHECK ((status = ANY (ARRAY['PENDING'::text, 'IN_PROGRESS'::text, 'COMPLETED'::text, 'ERROR'::text])))
)
WITH (fillfactor='50');


--
-- Name: export_schedules; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.export_schedules (
    id uuid NOT NULL,
    source_id uuid NOT NULL,
    cron text NOT NULL,
    zone text NOT NULL,
    keep integer NOT NULL,
    requester_id uuid,
    client_id text NOT NULL COLLATE pg_catalog."C",
    created timestamp(3) with time zone NOT NULL,
    modified timestamp(3) with time zone NOT NULL,
    CONSTRAINT export_schedules_keep CHECK (((keep >= 1) AND (keep <= 100)))
);


--
-- Name: extension_records; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.extension_records (
    request_id uuid NOT NULL,
    number integer NOT NULL,
    record_id uuid NOT NULL,
    end_date_before timestamp(3) with time zone NOT NULL,
    end_date timestamp(3) with time zone NOT NULL,
    status text NOT NULL COLLATE pg_catalog."C",
    reason text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    decided_by uuid,
    CONSTRAINT extension_records_status CHECK ((status = ANY (ARRAY['PENDING'::text, 'APPROVED'::text, 'REJECTED'::text, 'CANCELLED'::text, 'SKIPPED'::text])))
);


--
-- Name: extensions; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.extensions (
    request_id uuid NOT NULL,
    end_date timestamp(3) with time zone,
    comment text NOT NULL,
    records integer NOT NULL,
    approved integer DEFAULT 0 NOT NULL,
    rejected integer DEFAULT 0 NOT NULL,
    cancelled integer DEFAULT 0 NOT NULL,
    skipped integer DEFAULT 0 NOT NULL,
    CONSTRAINT extensions_counts CHECK ((LEAST(approved, rejected, cancelled, skipped, ((((records - approved) - rejected) - cancelled) - skipped)) >= 0))
);


--
-- Name: gatehouse_migrations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.gatehouse_migrations (
    id integer NOT NULL,
    version_id bigint NOT NULL,
    is_applied boolean NOT NULL,
    tstamp timestamp without time zone DEFAULT now() NOT NULL
);


--
-- Name: gatehouse_migrations_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.gatehouse_migrations ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.gatehouse_migrations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: identities; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.identities (
    id uuid NOT NULL,
    alias text NOT NULL,
    alias_folded text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL,
    email text NOT NULL,
    levels text[] NOT NULL,
    active boolean NOT NULL,
    created timestamp(3) with time zone NOT NULL,
    modified timestamp(3) with time zone NOT NULL,
    name_folded text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    email_folded text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    given_name text DEFAULT ''::text NOT NULL,
    given_name_folded text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    family_name text DEFAULT ''::text NOT NULL,
    family_name_folded text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    formatted_name text DEFAULT ''::text NOT NULL,
    external_id text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    version bigint DEFAULT 1 NOT NULL,
    deleted timestamp(3) with time zone,
    manager_id uuid,
    language text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT identities_deleted CHECK (((deleted IS NULL) OR (NOT active)))
);


--
-- Name: import_faults; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.import_faults (
    job_id uuid NOT NULL,
    number integer NOT NULL,
    line integer NOT NULL,
    column_name text NOT NULL,
    kind text NOT NULL,
    message text NOT NULL,
    cells text NOT NULL
);


--
-- Name: import_jobs; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.import_jobs (
    id uuid NOT NULL,
    source_id uuid NOT NULL,
    requester_id uuid,
    client_id text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL COLLATE pg_catalog."C",
    sequence bigint,
    lease_until timestamp(3) with time zone,
    columns text[] NOT NULL,
    header text NOT NULL,
    max_per_source integer NOT NULL,
    total integer DEFAULT 0 NOT NULL,
    doubts integer DEFAULT 0 NOT NULL,
    done integer DEFAULT 0 NOT NULL,
    created_rows integer DEFAULT 0 NOT NULL,
    updated_rows integer DEFAULT 0 NOT NULL,
    unchanged_rows integer DEFAULT 0 NOT NULL,
    failed_rows integer DEFAULT 0 NOT NULL,
    cancel_requested boolean DEFAULT false NOT NULL,
    created timestamp(3) with time zone NOT NULL,
    modified timestamp(3) with time zone NOT NULL,
    started timestamp(3) with time zone,
    finished timestamp(3) with time zone,
    CONSTRAINT import_jobs_counts CHECK (((done = (((created_rows + updated_rows) + unchanged_rows) + failed_rows)) AND (done <= total))),
    CONSTRAINT import_jobs_sequenced CHECK (((sequence IS NULL) = (status = 'RECEIVING'::text))),
    CONSTRAINT import_jobs_status CHECK ((status = ANY (ARRAY['RECEIVING'::text, 'PENDING'::text, 'IN_PROGRESS'::text, 'COMPLETED'::text, 'ERROR'::text, 'CANCELLED'::text])))
)
WITH (fillfactor='50');


--
-- Name: import_rows; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.import_rows (
    job_id uuid NOT NULL,
    number integer NOT NULL,
    line integer NOT NULL,
    start_date timestamp(3) with time zone,
    end_date timestamp(3) with time zone,
    record_id uuid NOT NULL,
    manager_id uuid,
    faulty boolean NOT NULL,
    doubt_kind text,
    doubt_column text,
    doubt text,
    account_name text NOT NULL,
    account_name_folded text NOT NULL COLLATE pg_catalog."C",
    first_name text NOT NULL,
    first_name_folded text NOT NULL COLLATE pg_catalog."C",
    last_name text NOT NULL,
    last_name_folded text NOT NULL COLLATE pg_catalog."C",
    phone text NOT NULL,
    email text NOT NULL,
    email_folded text NOT NULL COLLATE pg_catalog."C",
    data jsonb NOT NULL,
    cells text NOT NULL
);


--
-- Name: lifecycle_policies; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.lifecycle_policies (
    source_id uuid,
    policy jsonb,
    end_since timestamp(3) with time zone NOT NULL,
    modified timestamp(3) with time zone NOT NULL,
    CONSTRAINT lifecycle_policies_default CHECK (((source_id IS NOT NULL) OR (policy IS NOT NULL)))
);


--
-- Name: notification_records; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.notification_records (
    batch_id uuid NOT NULL,
    record_id uuid NOT NULL
);


--
-- Name: notifications; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.notifications (
    id uuid NOT NULL,
    event text NOT NULL,
    request_id uuid NOT NULL,
    item_id uuid NOT NULL,
    recipient_id uuid NOT NULL,
    recipient_type text NOT NULL COLLATE pg_catalog."C",
    reason text NOT NULL COLLATE pg_catalog."C",
    created timestamp(3) with time zone NOT NULL,
    key text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    source_id uuid,
    batch_id uuid,
    facts jsonb DEFAULT '{}'::jsonb NOT NULL,
    event_id uuid NOT NULL,
    relayed timestamp(3) with time zone
);


--
-- Name: organisation; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.organisation (
    id boolean DEFAULT true NOT NULL,
    sources integer DEFAULT 0 NOT NULL,
    CONSTRAINT organisation_one CHECK (id),
    CONSTRAINT organisation_sources CHECK ((sources >= 0))
);


--
-- Name: rate_windows; Type: TABLE; Schema: public; Owner: -
--

CREATE UNLOGGED TABLE public.rate_windows (
    key bytea NOT NULL,
    slot bigint NOT NULL,
    used integer NOT NULL,
    granted integer NOT NULL
)
WITH (fillfactor='50');


--
-- Name: records; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.records (
    id uuid NOT NULL,
    source_id uuid NOT NULL,
    account_name text NOT NULL,
    account_name_folded text NOT NULL COLLATE pg_catalog."C",
    first_name text NOT NULL,
    first_name_folded text NOT NULL COLLATE pg_catalog."C",
    last_name text NOT NULL,
    last_name_folded text NOT NULL COLLATE pg_catalog."C",
    phone text NOT NULL,
    email text NOT NULL,
    email_folded text NOT NULL COLLATE pg_catalog."C",
    manager_id uuid NOT NULL,
    start_date timestamp(3) with time zone NOT NULL,
    end_date timestamp(3) with time zone NOT NULL,
    data jsonb NOT NULL,
    created timestamp(3) with time zone NOT NULL,
    modified timestamp(3) with time zone NOT NULL,
    lifecycle_state text DEFAULT 'ACTIVE'::text NOT NULL COLLATE pg_catalog."C",
    lifecycle_since timestamp(3) with time zone DEFAULT now() NOT NULL,
    lifecycle_rung smallint DEFAULT 366 NOT NULL,
    ended_at timestamp(3) with time zone,
    ended_reason text DEFAULT ''::text NOT NULL,
    CONSTRAINT records_dates CHECK ((end_date > start_date)),
    CONSTRAINT records_lifecycle_rung CHECK (((lifecycle_rung >= '-1'::integer) AND (lifecycle_rung <= 366))),
    CONSTRAINT records_lifecycle_state CHECK ((lifecycle_state = ANY (ARRAY['PLANNED'::text, 'ACTIVE'::text, 'EXPIRING'::text, 'EXPIRED'::text, 'SUSPENDED'::text])))
);


--
-- Name: requests; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.requests (
    id uuid NOT NULL,
    source_id uuid NOT NULL,
    requester_id uuid,
    account_name text NOT NULL,
    account_name_folded text NOT NULL COLLATE pg_catalog."C",
    first_name text NOT NULL,
    first_name_folded text NOT NULL COLLATE pg_catalog."C",
    last_name text NOT NULL,
    last_name_folded text NOT NULL COLLATE pg_catalog."C",
    phone text NOT NULL,
    email text NOT NULL,
    email_folded text NOT NULL COLLATE pg_catalog."C",
    manager_id uuid,
    start_date timestamp(3) with time zone,
    end_date timestamp(3) with time zone,
    data jsonb NOT NULL,
    approval_status text NOT NULL COLLATE pg_catalog."C",
    completion_date timestamp(3) with time zone,
    created timestamp(3) with time zone NOT NULL,
    modified timestamp(3) with time zone NOT NULL,
    cancellation_reason text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    workflow_seen_at timestamp(3) with time zone DEFAULT '1970-01-01 00:00:00+00'::timestamp with time zone NOT NULL,
    workflow_checked_at timestamp(3) with time zone DEFAULT '1970-01-01 00:00:00+00'::timestamp with time zone NOT NULL,
    policy_id uuid,
    kind text DEFAULT 'CREATION'::text NOT NULL COLLATE pg_catalog."C",
    pending_since timestamp(3) with time zone,
    CONSTRAINT requests_dates CHECK ((end_date > start_date)),
    CONSTRAINT requests_kind CHECK ((kind = ANY (ARRAY['CREATION'::text, 'EXTENSION'::text]))),
    CONSTRAINT requests_person CHECK (
CASE kind
    WHEN 'EXTENSION'::text THEN ((num_nonnulls(manager_id, start_date, end_date) = 0) AND (account_name = ''::text))
    ELSE (num_nulls(manager_id, start_date, end_date) = 0)
END),
    CONSTRAINT requests_status CHECK ((approval_status = ANY (ARRAY['PENDING'::text, 'APPROVED'::text, 'REJECTED'::text, 'CANCELLED'::text])))
);


--
-- Name: schedule_endings; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.schedule_endings (
    schedule_id uuid NOT NULL,
    created timestamp(3) with time zone NOT NULL
);


--
-- Name: schema_attributes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.schema_attributes (
    id uuid NOT NULL,
    source_id uuid NOT NULL,
    type text NOT NULL,
    technical_name text NOT NULL,
    technical_name_folded text NOT NULL COLLATE pg_catalog."C",
    label text NOT NULL,
    help_text text NOT NULL,
    placeholder text NOT NULL,
    required boolean NOT NULL,
    system boolean NOT NULL,
    "position" integer NOT NULL,
    created timestamp(3) with time zone NOT NULL,
    modified timestamp(3) with time zone NOT NULL
);


--
-- Name: signing_keys; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.signing_keys (
    kid text NOT NULL COLLATE pg_catalog."C",
    private_key bytea NOT NULL,
    created timestamp(3) with time zone NOT NULL,
    signs_from timestamp(3) with time zone NOT NULL
);


--
-- Name: source_account_managers; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.source_account_managers (
    source_id uuid NOT NULL,
    "position" smallint NOT NULL,
    manager_id uuid NOT NULL,
    manager_type text NOT NULL COLLATE pg_catalog."C"
);


--
-- Name: source_approvers; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.source_approvers (
    source_id uuid NOT NULL,
    "position" smallint NOT NULL,
    approver_id uuid NOT NULL,
    approver_type text NOT NULL COLLATE pg_catalog."C"
);


--
-- Name: source_counters; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.source_counters (
    source_id uuid NOT NULL,
    records integer DEFAULT 0 NOT NULL,
    pending integer DEFAULT 0 NOT NULL,
    approved integer DEFAULT 0 NOT NULL,
    rejected integer DEFAULT 0 NOT NULL,
    cancelled integer DEFAULT 0 NOT NULL,
    items integer DEFAULT 0 NOT NULL,
    import_sequence bigint DEFAULT 0 NOT NULL,
    CONSTRAINT source_counters_not_negative CHECK ((LEAST(records, pending, approved, rejected, cancelled, items) >= 0))
)
WITH (fillfactor='50');


--
-- Name: sources; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.sources (
    id uuid NOT NULL,
    name text NOT NULL,
    name_folded text NOT NULL COLLATE pg_catalog."C",
    description text NOT NULL,
    owner_id uuid NOT NULL,
    management_workgroup uuid,
    created timestamp(3) with time zone NOT NULL,
    modified timestamp(3) with time zone NOT NULL
);


--
-- Name: webhook_endpoints; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.webhook_endpoints (
    id uuid NOT NULL,
    url text NOT NULL,
    secret bytea NOT NULL,
    events text[] NOT NULL,
    enabled boolean NOT NULL,
    reason text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    created timestamp(3) with time zone NOT NULL,
    modified timestamp(3) with time zone NOT NULL
);


--
-- Name: workflow_endings; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.workflow_endings (
    request_id uuid NOT NULL,
    created timestamp(3) with time zone NOT NULL
);


--
-- Name: workgroup_members; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.workgroup_members (
    workgroup_id uuid NOT NULL,
    identity_id uuid NOT NULL
);


--
-- Name: workgroups; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.workgroups (
    id uuid NOT NULL,
    name text NOT NULL,
    name_folded text NOT NULL COLLATE pg_catalog."C",
    created timestamp(3) with time zone NOT NULL,
    external_id text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    modified timestamp(3) with time zone DEFAULT now() NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    deleted timestamp(3) with time zone
);


--
-- Data for Name: absences; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.absences VALUES
	('01a215da-6ec3-73a9-9242-e1fb08b44fe4', 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', 'f9488600-57d5-583d-97f2-145bdd6748fd', '2026-11-26 03:16:06.467+00', '2026-11-26 04:16:06+00', 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', '2026-11-26 03:16:06.467+00', '2026-11-26 03:16:06.467+00', '2026-11-26 03:17:06.467+00');


--
-- Data for Name: account_names; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.account_names VALUES
	('01a215da-55f2-7fe0-a07b-760616c52c0f', 'acc.pii7.2', '01a215da-561b-7651-8809-d0e479980147'),
	('01a215da-55f2-7fe0-a07b-760616c52c0f', 'acc.pii7.3', '01a215da-5a56-79fc-a330-5c37d45e9a31'),
	('01a215da-5d79-721d-b8bd-6fc615b285ea', 'acc.pii7.5', '01a215da-5d93-7eb9-a98d-cb12a9d5e09f'),
	('01a215da-5d79-721d-b8bd-6fc615b285ea', 'acc.pii7.6', '01a215da-5fba-7326-babc-5c0e8d36ab0b'),
	('01a215da-64a2-792c-823e-2fd8cbb073d0', 'acc.pii7.8', '01a215da-64bd-796d-a63e-fbbd9f3e750d'),
	('01a215da-680e-7aca-9978-f77a9b1ffc25', 'acc.pii7.10', '01a215da-6819-7e90-9367-77abfa840f8b'),
	('01a215da-55f2-7fe0-a07b-760616c52c0f', 'acc.pii7.11', '01a215da-72da-7779-a091-27b44a649d77'),
	('01a215da-8f23-75f8-9b74-f7422e3fa840', 'acc.pii7.15', '01a215da-8f3a-7b83-b520-0bb3122aab3f'),
	('01a215da-9087-7d22-82ee-fa8c309d1508', 'acc.pii7.17', '01a215da-908e-7370-8d22-94d9d707deed');


--
-- Data for Name: approval_items; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.approval_items VALUES
	('01a215da-561c-70c2-afd3-92ef04cade46', '01a215da-561b-7651-8809-d0e479980147', 0, 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', 'IDENTITY', 'PENDING', '', NULL, NULL, '2026-11-26 03:16:00.155+00', '2026-11-26 03:16:00.155+00', '2026-11-26 03:16:00.155+00', '2026-11-26 03:16:00.155+00', 0, 0, false, NULL, 'CREATION'),
	('01a215da-561c-7803-9a82-fffb8a02f181', '01a215da-561b-7651-8809-d0e479980147', 1, 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', 'IDENTITY', 'NOT_READY', '', NULL, NULL, NULL, '2026-11-26 03:16:00.155+00', '2026-11-26 03:16:00.155+00', NULL, 0, 0, false, NULL, 'CREATION'),
	('01a215da-561c-7880-a7fa-f8cd1525957f', '01a215da-561b-7651-8809-d0e479980147', 2, '2b2c8bad-f827-542b-89fc-9159b91c2f1f', 'IDENTITY', 'NOT_READY', '', NULL, NULL, NULL, '2026-11-26 03:16:00.155+00', '2026-11-26 03:16:00.155+00', NULL, 0, 0, false, NULL, 'CREATION'),
	('01a215da-5a56-71d6-a76c-1f33a40eb8dd', '01a215da-5a56-79fc-a330-5c37d45e9a31', 2, '2b2c8bad-f827-542b-89fc-9159b91c2f1f', 'IDENTITY', 'NOT_READY', '', NULL, NULL, NULL, '2026-11-26 03:16:01.237+00', '2026-11-26 03:16:01.237+00', NULL, 0, 0, false, NULL, 'CREATION'),
	('01a215da-5a56-70eb-ac72-6f8231c53995', '01a215da-5a56-79fc-a330-5c37d45e9a31', 0, 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', 'IDENTITY', 'APPROVED', 'Fine pii7', 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', '2bf42f3a-6ab2-54e0-b636-bacf949545fd', '2026-11-26 03:16:01.237+00', '2026-11-26 03:16:01.237+00', '2026-11-26 03:16:01.667+00', '2026-11-26 03:16:01.237+00', 0, 0, false, NULL, 'CREATION'),
	('01a215da-5d93-791a-a122-841470ef68fa', '01a215da-5d93-7eb9-a98d-cb12a9d5e09f', 0, 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', 'IDENTITY', 'PENDING', '', NULL, NULL, '2026-11-26 03:16:02.067+00', '2026-11-26 03:16:02.067+00', '2026-11-26 03:16:02.067+00', '2026-11-26 03:16:02.067+00', 0, 0, false, NULL, 'CREATION'),
	('01a215da-5d93-7081-8f6b-0380232895bb', '01a215da-5d93-7eb9-a98d-cb12a9d5e09f', 1, 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', 'IDENTITY', 'NOT_READY', '', NULL, NULL, NULL, '2026-11-26 03:16:02.067+00', '2026-11-26 03:16:02.067+00', NULL, 0, 0, false, NULL, 'CREATION'),
	('01a215da-5fbc-7fab-a5db-ac72c67b21d9', '01a215da-5fba-7326-babc-5c0e8d36ab0b', 1, 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', 'IDENTITY', 'NOT_READY', '', NULL, NULL, NULL, '2026-11-26 03:16:02.618+00', '2026-11-26 03:16:02.618+00', NULL, 0, 0, false, NULL, 'CREATION'),
	('01a215da-5fbc-7bef-ba0f-075813ac03ed', '01a215da-5fba-7326-babc-5c0e8d36ab0b', 0, 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', 'IDENTITY', 'PENDING', '', NULL, NULL, '2026-11-23 03:16:02.618+00', '2026-11-26 03:16:02.618+00', '2026-11-26 03:16:02.618+00', '2026-11-23 03:16:02.618+00', 1, 0, false, NULL, 'CREATION'),
	('01a215da-64c1-7444-8332-c5ecfde10f7b', '01a215da-64bd-796d-a63e-fbbd9f3e750d', 0, 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', 'IDENTITY', 'PENDING', '', NULL, NULL, '2026-11-26 03:16:03.901+00', '2026-11-26 03:16:03.901+00', '2026-11-26 03:16:03.901+00', '2026-11-26 03:16:03.901+00', 0, 0, false, NULL, 'CREATION'),
	('01a215da-5a56-7c27-8313-5a04f8b1945f', '01a215da-5a56-79fc-a330-5c37d45e9a31', 1, 'f9488600-57d5-583d-97f2-145bdd6748fd', 'IDENTITY', 'PENDING', '', NULL, NULL, '2026-11-26 03:16:01.667+00', '2026-11-26 03:16:01.237+00', '2026-11-26 03:16:06.94+00', '2026-11-26 03:16:06.94+00', 0, 0, false, 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', 'CREATION'),
	('01a215da-681a-784b-a236-9ee8c5d0f71e', '01a215da-6819-7e90-9367-77abfa840f8b', 0, 'f9488600-57d5-583d-97f2-145bdd6748fd', 'IDENTITY', 'PENDING', '', NULL, NULL, '2026-11-26 03:16:04.761+00', '2026-11-26 03:16:04.761+00', '2026-11-26 03:16:06.946+00', '2026-11-26 03:16:06.946+00', 0, 0, false, 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', 'CREATION'),
	('01a215da-72f0-7616-8f99-d688557da55e', '01a215da-72ee-77d9-872e-3b65833e7acf', 0, 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', 'IDENTITY', 'PENDING', '', NULL, NULL, '2026-11-26 03:16:07.534+00', '2026-11-26 03:16:07.534+00', '2026-11-26 03:16:07.534+00', '2026-11-26 03:16:07.534+00', 0, 0, false, NULL, 'EXTENSION'),
	('01a215da-72f0-738e-8a4d-edd9bc09613e', '01a215da-72ee-77d9-872e-3b65833e7acf', 1, 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', 'IDENTITY', 'NOT_READY', '', NULL, NULL, NULL, '2026-11-26 03:16:07.534+00', '2026-11-26 03:16:07.534+00', NULL, 0, 0, false, NULL, 'EXTENSION'),
	('01a215da-72f0-746a-aaf3-d9e89db06bb6', '01a215da-72ee-77d9-872e-3b65833e7acf', 2, '2b2c8bad-f827-542b-89fc-9159b91c2f1f', 'IDENTITY', 'NOT_READY', '', NULL, NULL, NULL, '2026-11-26 03:16:07.534+00', '2026-11-26 03:16:07.534+00', NULL, 0, 0, false, NULL, 'EXTENSION'),
	('01a215da-908e-7f69-aa71-e323aa954cc1', '01a215da-908e-7370-8d22-94d9d707deed', 0, '2b2c8bad-f827-542b-89fc-9159b91c2f1f', 'IDENTITY', 'PENDING', '', NULL, NULL, '2026-11-26 03:16:15.118+00', '2026-11-26 03:16:15.118+00', '2026-11-26 03:16:15.118+00', '2026-11-26 03:16:15.118+00', 0, 0, false, NULL, 'CREATION');


--
-- Data for Name: approval_policies; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.approval_policies VALUES
	('6d1b9b0e-52f4-4c0e-9a33-0f6c7b1f7a01', NULL, 1, true, '{"cronTimezone": {"offset": "", "location": ""}, "selfApproval": false, "timeoutConfig": {"enabled": true, "timeoutResult": "EXPIRED", "daysUntilTimeout": 90}, "reminderConfig": {"enabled": true, "maxReminders": 20, "reminderCronSchedule": "@every 72h", "daysUntilFirstReminder": 3}, "escalationConfig": {"enabled": false, "escalationChain": [], "escalationCronSchedule": "", "daysUntilFirstEscalation": 0}}', '2026-11-26 03:15:26.249+00'),
	('01a215da-5d8c-7bd1-ae83-ca1b0eb27987', '01a215da-5d79-721d-b8bd-6fc615b285ea', 1, true, '{"cronTimezone": {"offset": "", "location": ""}, "selfApproval": false, "timeoutConfig": {"enabled": true, "timeoutResult": "EXPIRED", "daysUntilTimeout": 30}, "reminderConfig": {"enabled": true, "maxReminders": 2, "reminderCronSchedule": "@every 72h", "daysUntilFirstReminder": 3}, "escalationConfig": {"enabled": true, "escalationChain": [{"identityId": "2b2c8bad-f827-542b-89fc-9159b91c2f1f", "identityType": "IDENTITY"}], "escalationCronSchedule": "@every 24h", "daysUntilFirstEscalation": 20}}', '2026-11-26 03:16:02.059+00'),
	('01a215da-64ad-7278-8f01-b8c3bac6e6c4', '01a215da-64a2-792c-823e-2fd8cbb073d0', 1, true, '{"cronTimezone": {"offset": "", "location": ""}, "selfApproval": false, "timeoutConfig": {"enabled": true, "timeoutResult": "EXPIRED", "daysUntilTimeout": 30}, "reminderConfig": {"enabled": false, "maxReminders": 0, "reminderCronSchedule": "", "daysUntilFirstReminder": 0}, "escalationConfig": {"enabled": true, "escalationChain": [{"identityId": "2b2c8bad-f827-542b-89fc-9159b91c2f1f", "identityType": "IDENTITY"}], "escalationCronSchedule": "@every 24h", "daysUntilFirstEscalation": 4}}', '2026-11-26 03:16:03.882+00');


--
-- Data for Name: approval_reassignments; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.approval_reassignments VALUES
	('01a215da-709d-799c-8a38-1601538693c3', '01a215da-5a56-7c27-8313-5a04f8b1945f', 1, 'DELEGATION', 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', 'IDENTITY', 'f9488600-57d5-583d-97f2-145bdd6748fd', 'IDENTITY', NULL, '', '2026-11-26 03:16:06.94+00'),
	('01a215da-70a3-7be9-a4f3-cb495756192a', '01a215da-681a-784b-a236-9ee8c5d0f71e', 1, 'DELEGATION', 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', 'IDENTITY', 'f9488600-57d5-583d-97f2-145bdd6748fd', 'IDENTITY', NULL, '', '2026-11-26 03:16:06.946+00');


--
-- Data for Name: audit_details; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.audit_details VALUES
	(1, NULL, NULL, '{"after":{"active":true,"alias":"admin","email":"admin@example.com","levels":["ORG_ADMIN"],"name":"Ada Admin"}}', '\x9b7cf1a821e64831ba1eacb587ea3e9a', '{3e751f58-38b1-5f78-ae28-70d611e9acbf,admin,admin@example.com}'),
	(2, NULL, NULL, '{"after":{"active":true,"identity":"3e751f58-38b1-5f78-ae28-70d611e9acbf","name":"Ada Admin","scopes":["sp:scopes:all"]}}', '\x89c2ec3a7fef4713a7a12b72e0039114', '{demo-admin,3e751f58-38b1-5f78-ae28-70d611e9acbf}'),
	(3, NULL, NULL, '{"after":{"active":true,"alias":"source.admin","email":"source.admin@example.com","levels":["SOURCE_ADMIN"],"manager":"3e751f58-38b1-5f78-ae28-70d611e9acbf","name":"Sol Source"}}', '\xca523987e9b7479fa72799ecdfb9cb76', '{515fab36-53cb-51c5-b6b0-6872671081a0,source.admin,source.admin@example.com}'),
	(4, NULL, NULL, '{"after":{"active":true,"identity":"515fab36-53cb-51c5-b6b0-6872671081a0","name":"Sol Source","scopes":["sp:scopes:all"]}}', '\xd90e75a7d08b49faafe3536f1b62c456', '{demo-source.admin,515fab36-53cb-51c5-b6b0-6872671081a0}'),
	(5, NULL, NULL, '{"after":{"active":true,"alias":"sub.admin","email":"sub.admin@example.com","levels":["SOURCE_SUBADMIN"],"manager":"515fab36-53cb-51c5-b6b0-6872671081a0","name":"Sue Sub"}}', '\x498883c6e9484dda9eb2cf4bfce7ca7c', '{c84b3bb4-affc-5e43-9527-5ee739584bda,sub.admin,sub.admin@example.com}'),
	(6, NULL, NULL, '{"after":{"active":true,"identity":"c84b3bb4-affc-5e43-9527-5ee739584bda","name":"Sue Sub","scopes":["sp:scopes:all"]}}', '\x960a92f5d6434330b253645690ec52f0', '{demo-sub.admin,c84b3bb4-affc-5e43-9527-5ee739584bda}'),
	(7, NULL, NULL, '{"after":{"active":true,"alias":"jane.doe","email":"jane.doe@example.com","levels":[],"manager":"515fab36-53cb-51c5-b6b0-6872671081a0","name":"Jane Doe"}}', '\x398b1a6e2cc34f1fb063f551afd7774e', '{5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614,jane.doe,jane.doe@example.com}'),
	(8, NULL, NULL, '{"after":{"active":true,"identity":"5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614","name":"Jane Doe","scopes":["sp:scopes:all"]}}', '\x81fc1d6301814478ba5466b74c695080', '{demo-jane.doe,5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614}'),
	(9, NULL, NULL, '{"after":{"active":true,"alias":"john.roe","email":"john.roe@example.com","levels":[],"manager":"5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614","name":"John Roe"}}', '\xb95e76e5370b4c9a843d1416c718807b', '{c157d8b0-cceb-5515-b6dc-8b40bd9df1ba,john.roe,john.roe@example.com}'),
	(10, NULL, NULL, '{"after":{"active":true,"identity":"c157d8b0-cceb-5515-b6dc-8b40bd9df1ba","name":"John Roe","scopes":["sp:scopes:all"]}}', '\x5bf64449131c4040a3acf0769cd747bb', '{demo-john.roe,c157d8b0-cceb-5515-b6dc-8b40bd9df1ba}'),
	(11, NULL, NULL, '{"after":{"active":true,"alias":"approver.three","email":"approver.three@example.com","levels":[],"manager":"515fab36-53cb-51c5-b6b0-6872671081a0","name":"Cleo Three"}}', '\xe5251b76bf4546d3a1c5d6427efbd93e', '{2b2c8bad-f827-542b-89fc-9159b91c2f1f,approver.three,approver.three@example.com}'),
	(12, NULL, NULL, '{"after":{"active":true,"identity":"2b2c8bad-f827-542b-89fc-9159b91c2f1f","name":"Cleo Three","scopes":["sp:scopes:all"]}}', '\x4f576f08c9b84ab59e272e164d08edb5', '{demo-approver.three,2b2c8bad-f827-542b-89fc-9159b91c2f1f}'),
	(13, NULL, NULL, '{"after":{"active":true,"alias":"approver.one","email":"approver.one@example.com","levels":[],"manager":"2b2c8bad-f827-542b-89fc-9159b91c2f1f","name":"Ann One"}}', '\x84b51fd83a1348a9827faddcbff801e2', '{c2f40b2e-2b6e-55e7-8945-a0065fb794ab,approver.one,approver.one@example.com}'),
	(14, NULL, NULL, '{"after":{"active":true,"identity":"c2f40b2e-2b6e-55e7-8945-a0065fb794ab","name":"Ann One","scopes":["sp:scopes:all"]}}', '\xb58e9b9ebf654e609a5b1b5b16711ce7', '{demo-approver.one,c2f40b2e-2b6e-55e7-8945-a0065fb794ab}'),
	(15, NULL, NULL, '{"after":{"active":true,"alias":"approver.two","email":"approver.two@example.com","levels":[],"manager":"2b2c8bad-f827-542b-89fc-9159b91c2f1f","name":"Ben Two"}}', '\xd80e19e7750e4c53abbc05fbb175e8da', '{a3d738ef-c3a5-53a5-8ee9-613c2fb0d143,approver.two,approver.two@example.com}'),
	(16, NULL, NULL, '{"after":{"active":true,"identity":"a3d738ef-c3a5-53a5-8ee9-613c2fb0d143","name":"Ben Two","scopes":["sp:scopes:all"]}}', '\x58c182f8171e460da0b919934c54e162', '{demo-approver.two,a3d738ef-c3a5-53a5-8ee9-613c2fb0d143}'),
	(17, NULL, NULL, '{"after":{"active":true,"alias":"outsider","email":"outsider@example.com","levels":[],"name":"Otto Outsider"}}', '\x04ee9391b57d44b19844486144ac7a27', '{f9488600-57d5-583d-97f2-145bdd6748fd,outsider,outsider@example.com}'),
	(18, NULL, NULL, '{"after":{"active":true,"identity":"f9488600-57d5-583d-97f2-145bdd6748fd","name":"Otto Outsider","scopes":["sp:scopes:all"]}}', '\x00748b409c1244f993319c09226aa81b', '{demo-outsider,f9488600-57d5-583d-97f2-145bdd6748fd}'),
	(19, NULL, NULL, '{"after":{"name":"field-ops"}}', '\xd42a95d404d4439aae6a20d34a43501c', '{8f79c642-da6a-5b78-abf3-2016468ad2ab}'),
	(20, NULL, NULL, '{"after":{"active":true,"name":"Demo application","rights":["idn:nesr:create","idn:nesr:read","idn:nesr:update","idn:nesr:delete"],"scopes":["sp:scopes:all"]}}', '\x5ae7d89c7d7a47258e39cec192727ee5', '{demo-app}'),
	(22, '{"address":"127.0.0.1","client":"demo-admin"}', '\x69cdd480a885420eb88066d74106c5db', '{"after":{"accountManagers":[{"id":"5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614","type":"IDENTITY"}],"approvers":[{"id":"c2f40b2e-2b6e-55e7-8945-a0065fb794ab","type":"IDENTITY"},{"id":"a3d738ef-c3a5-53a5-8ee9-613c2fb0d143","type":"IDENTITY"},{"id":"2b2c8bad-f827-542b-89fc-9159b91c2f1f","type":"IDENTITY"}],"description":"For a test","name":"Source.pii7.1","owner":"515fab36-53cb-51c5-b6b0-6872671081a0"}}', '\xcc503d15f1fb46fba1cb7b6002e9690d', '{01a215da-55f2-7fe0-a07b-760616c52c0f}'),
	(23, '{"address":"127.0.0.1","client":"demo-jane.doe"}', '\x9737427dd99b4358a480c5ab66386244', '{"after": {"data": {}, "email": "acc.pii7.2@example.com", "phone": "+1 512 pii7", "endDate": "2027-12-31T00:00:00.000Z", "manager": "c157d8b0-cceb-5515-b6dc-8b40bd9df1ba", "lastName": "Last-pii7", "firstName": "First-pii7", "startDate": "2027-01-01T00:00:00.000Z", "accountName": "acc.pii7.2"}}', '\x62de80008a054d63801c03433866e7bf', '{01a215da-561b-7651-8809-d0e479980147,acc.pii7.2,acc.pii7.2@example.com}'),
	(24, '{"address":"127.0.0.1","client":"demo-jane.doe"}', '\xf72fb2c4398e4fe48eac5d276a2e837d', '{"after": {"data": {}, "email": "acc.pii7.3@example.com", "phone": "+1 512 pii7", "endDate": "2027-12-31T00:00:00.000Z", "manager": "c157d8b0-cceb-5515-b6dc-8b40bd9df1ba", "lastName": "Last-pii7", "firstName": "First-pii7", "startDate": "2027-01-01T00:00:00.000Z", "accountName": "acc.pii7.3"}}', '\x260e5e0b47ce4a92a9d6326601e8361a', '{01a215da-5a56-79fc-a330-5c37d45e9a31,acc.pii7.3,acc.pii7.3@example.com}'),
	(25, '{"address":"127.0.0.1","client":"demo-approver.one"}', '\x007837297da443ed9f897b93f541707c', '{"after": {"comment": "Fine pii7", "approvalStatus": "APPROVED"}, "before": {"comment": "", "approvalStatus": "PENDING"}}', '\x579b31e81856482597f505198c07ed22', '{01a215da-5a56-79fc-a330-5c37d45e9a31,acc.pii7.3,acc.pii7.3@example.com,01a215da-5a56-70eb-ac72-6f8231c53995}'),
	(26, '{"address":"127.0.0.1","client":"demo-approver.one"}', '\x7f1d17cc59e249dc92bda017e05b5772', NULL, NULL, NULL),
	(27, '{"address":"127.0.0.1","client":"demo-admin"}', '\xea1cf82f98a34ccf8c4ab9068374fa9e', '{"after":{"accountManagers":[{"id":"5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614","type":"IDENTITY"}],"approvers":[{"id":"c2f40b2e-2b6e-55e7-8945-a0065fb794ab","type":"IDENTITY"},{"id":"a3d738ef-c3a5-53a5-8ee9-613c2fb0d143","type":"IDENTITY"}],"description":"For a test","name":"Source.pii7.4","owner":"515fab36-53cb-51c5-b6b0-6872671081a0"}}', '\xe3d4cb90d20d49b0b39af045ddc82f04', '{01a215da-5d79-721d-b8bd-6fc615b285ea}'),
	(28, '{"address":"127.0.0.1","client":"demo-admin"}', '\x73902a18f6874efbbc3e07d9b9ca6663', '{"after":{"cronTimezone":{"location":"","offset":""},"escalationConfig":{"daysUntilFirstEscalation":20,"enabled":true,"escalationChain":[{"identityId":"2b2c8bad-f827-542b-89fc-9159b91c2f1f","identityType":"IDENTITY"}],"escalationCronSchedule":"@every 24h"},"reminderConfig":{"daysUntilFirstReminder":3,"enabled":true,"maxReminders":2,"reminderCronSchedule":"@every 72h"},"selfApproval":false,"timeoutConfig":{"daysUntilTimeout":30,"enabled":true,"timeoutResult":"EXPIRED"}}}', '\xb428b91a011148dcb98eaf857beb9d9f', '{01a215da-5d8c-7bd1-ae83-ca1b0eb27987}'),
	(29, '{"address":"127.0.0.1","client":"demo-jane.doe"}', '\x99e3caae890f486e8bc3ad37103aaa9a', '{"after": {"data": {}, "email": "acc.pii7.5@example.com", "phone": "+1 512 pii7", "endDate": "2027-12-31T00:00:00.000Z", "manager": "c157d8b0-cceb-5515-b6dc-8b40bd9df1ba", "lastName": "Last-pii7", "firstName": "First-pii7", "startDate": "2027-01-01T00:00:00.000Z", "accountName": "acc.pii7.5"}}', '\x92ebc3aa1c2b4e0d865facfca5436995', '{01a215da-5d93-7eb9-a98d-cb12a9d5e09f,acc.pii7.5,acc.pii7.5@example.com}'),
	(30, '{"address":"127.0.0.1","client":"demo-jane.doe"}', '\x5fdb6ebf7aba4e178b7c7f275294fc80', '{"after": {"data": {}, "email": "acc.pii7.6@example.com", "phone": "+1 512 pii7", "endDate": "2027-12-31T00:00:00.000Z", "manager": "c157d8b0-cceb-5515-b6dc-8b40bd9df1ba", "lastName": "Last-pii7", "firstName": "First-pii7", "startDate": "2027-01-01T00:00:00.000Z", "accountName": "acc.pii7.6"}}', '\x576d47a3ddd74f6e97504a0a6e05718f', '{01a215da-5fba-7326-babc-5c0e8d36ab0b,acc.pii7.6,acc.pii7.6@example.com}'),
	(32, '{"address":"127.0.0.1","client":"demo-admin"}', '\x41e62f4551fb40deb8c9916105b7c13f', '{"after":{"accountManagers":[{"id":"5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614","type":"IDENTITY"}],"approvers":[{"id":"c2f40b2e-2b6e-55e7-8945-a0065fb794ab","type":"IDENTITY"}],"description":"For a test","name":"Source.pii7.7","owner":"515fab36-53cb-51c5-b6b0-6872671081a0"}}', '\x5ed3ac69fb97459ab3e396456afd3a28', '{01a215da-64a2-792c-823e-2fd8cbb073d0}'),
	(33, '{"address":"127.0.0.1","client":"demo-admin"}', '\xfc02beb6ac174e27aed414e4cd3640be', '{"after":{"cronTimezone":{"location":"","offset":""},"escalationConfig":{"daysUntilFirstEscalation":4,"enabled":true,"escalationChain":[{"identityId":"2b2c8bad-f827-542b-89fc-9159b91c2f1f","identityType":"IDENTITY"}],"escalationCronSchedule":"@every 24h"},"reminderConfig":{"daysUntilFirstReminder":0,"enabled":false,"maxReminders":0,"reminderCronSchedule":""},"selfApproval":false,"timeoutConfig":{"daysUntilTimeout":30,"enabled":true,"timeoutResult":"EXPIRED"}}}', '\x34bd948547a24867abf9867e0258b7c1', '{01a215da-64ad-7278-8f01-b8c3bac6e6c4}'),
	(34, '{"address":"127.0.0.1","client":"demo-jane.doe"}', '\x13e2c60f575c47f3bd2e5bcf0a6b8c0e', '{"after": {"data": {}, "email": "acc.pii7.8@example.com", "phone": "+1 512 pii7", "endDate": "2027-12-31T00:00:00.000Z", "manager": "c157d8b0-cceb-5515-b6dc-8b40bd9df1ba", "lastName": "Last-pii7", "firstName": "First-pii7", "startDate": "2027-01-01T00:00:00.000Z", "accountName": "acc.pii7.8"}}', '\xd9544e31b38e4460abc585cfaf137774', '{01a215da-64bd-796d-a63e-fbbd9f3e750d,acc.pii7.8,acc.pii7.8@example.com}'),
	(35, '{"address":"127.0.0.1","client":"demo-admin"}', '\xd8d326385f814c96895c2e69fb3ab6dc', '{"after":{"accountManagers":[{"id":"5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614","type":"IDENTITY"}],"approvers":[{"id":"a3d738ef-c3a5-53a5-8ee9-613c2fb0d143","type":"IDENTITY"}],"description":"For a test","name":"Source.pii7.9","owner":"515fab36-53cb-51c5-b6b0-6872671081a0"}}', '\x24c51faa94aa44318179eefea842f7a7', '{01a215da-680e-7aca-9978-f77a9b1ffc25}'),
	(36, '{"address":"127.0.0.1","client":"demo-jane.doe"}', '\xd46fe5e3e4ec4c01b65bec456ba56559', '{"after": {"data": {}, "email": "acc.pii7.10@example.com", "phone": "+1 512 pii7", "endDate": "2027-12-31T00:00:00.000Z", "manager": "c157d8b0-cceb-5515-b6dc-8b40bd9df1ba", "lastName": "Last-pii7", "firstName": "First-pii7", "startDate": "2027-01-01T00:00:00.000Z", "accountName": "acc.pii7.10"}}', '\x8664e5c459b94a4cbda37713dc1c9750', '{01a215da-6819-7e90-9367-77abfa840f8b,acc.pii7.10,acc.pii7.10@example.com}'),
	(37, '{"address":"127.0.0.1","client":"demo-approver.two"}', '\xe7d40b3e997d41cdb752b9cad4c04323', '{"after":{"endDate":"2026-11-26T04:16:06.000Z","startDate":"2026-11-26T03:16:06.467Z"}}', '\x462773d2168b4ae4a4f0552d6e09c688', '{01a215da-6ec3-73a9-9242-e1fb08b44fe4,a3d738ef-c3a5-53a5-8ee9-613c2fb0d143}'),
	(40, '{"address":"127.0.0.1","client":"demo-admin"}', '\x1f4a17ef017645cfb3438ea863b515f5', '{"after": {"data": {}, "email": "acc.pii7.11@example.com", "phone": "+1 512 pii7", "endDate": "2027-12-31T00:00:00.000Z", "manager": "c157d8b0-cceb-5515-b6dc-8b40bd9df1ba", "lastName": "Last-pii7", "firstName": "First-pii7", "startDate": "2027-01-01T00:00:00.000Z", "accountName": "acc.pii7.11"}}', '\x33036e54115b4f159ae0255dbba69a85', '{01a215da-72da-7779-a091-27b44a649d77,acc.pii7.11,acc.pii7.11@example.com}'),
	(41, '{"address":"127.0.0.1","client":"demo-jane.doe"}', '\xcb395cf59a344cb39c58c63c9b648746', NULL, NULL, NULL),
	(42, '{"address":"127.0.0.1","client":"demo-admin"}', '\x16ab23b7440f4ac382a1357965c5cee4', '{"after":{"accountManagers":[{"id":"5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614","type":"IDENTITY"}],"approvers":[],"description":"For a test","name":"Source.pii7.12","owner":"515fab36-53cb-51c5-b6b0-6872671081a0"}}', '\x5c2a2df40ffb416dadc111fc24511cd0', '{01a215da-7713-760e-9fa9-c39baa6e00d4}'),
	(43, '{"address":"127.0.0.1","client":"demo-admin"}', '\xf4c2804dacd94049948b9098b1b74287', NULL, NULL, NULL),
	(44, '{"address":"127.0.0.1","client":"demo-admin"}', '\x0208a5042f7c4b95a724f82e404ca929', NULL, NULL, NULL),
	(45, '{"address":"127.0.0.1","client":"demo-admin"}', '\x3c9fc8386a024a61a9823189519493a8', '{"after":{"accountManagers":[{"id":"5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614","type":"IDENTITY"}],"approvers":[],"description":"For a test","name":"Source.pii7.14","owner":"515fab36-53cb-51c5-b6b0-6872671081a0"}}', '\x947fdfec0cd34a94b4d6d78b0394c9cb', '{01a215da-8f23-75f8-9b74-f7422e3fa840}'),
	(46, '{"address":"127.0.0.1","client":"demo-admin"}', '\xbd94d424780a4d359f458b3f6a49bcf7', '{"after": {"data": {}, "email": "acc.pii7.15@example.com", "phone": "+1 512 pii7", "endDate": "2027-12-31T00:00:00.000Z", "manager": "c157d8b0-cceb-5515-b6dc-8b40bd9df1ba", "lastName": "Last-pii7", "firstName": "First-pii7", "startDate": "2027-01-01T00:00:00.000Z", "accountName": "acc.pii7.15"}}', '\x5527a0a77de84d2fb47f81db0a7f2771', '{01a215da-8f3a-7b83-b520-0bb3122aab3f,acc.pii7.15,acc.pii7.15@example.com}'),
	(47, '{"address":"127.0.0.1","client":"demo-admin"}', '\xc3afeab8e4ee4810bf9a0792c72404f7', '{"after": {"cron": "@weekly", "keep": 1, "zone": "UTC"}}', '\x8236444fcad74d388848fd327859701e', NULL),
	(48, '{"address":"127.0.0.1","client":"demo-admin"}', '\xf6fab992d14e48b78c28648baedc12a1', NULL, NULL, NULL),
	(49, '{"address":"127.0.0.1","client":"demo-admin"}', '\xd0ee1f9fabd54869add8afa05ae75c72', '{"after":{"enabled":true,"events":["request_made"],"reason":"","url":"http://127.0.0.1:9/told"}}', '\x9c6f91be86fe4bafaf9ceb6161b17655', '{01a215da-9064-70b5-926e-e0b64791b137}'),
	(50, '{"address":"127.0.0.1","client":"demo-admin"}', '\xd8a261d9d9854a48887522a6486fe9ea', '{"after":{"accountManagers":[{"id":"5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614","type":"IDENTITY"}],"approvers":[{"id":"2b2c8bad-f827-542b-89fc-9159b91c2f1f","type":"IDENTITY"}],"description":"For a test","name":"Source.pii7.16","owner":"515fab36-53cb-51c5-b6b0-6872671081a0"}}', '\xaa4193550bae4eb3be5c7ad5597ffae2', '{01a215da-9087-7d22-82ee-fa8c309d1508}'),
	(51, '{"address":"127.0.0.1","client":"demo-jane.doe"}', '\x8455c7ae5c19425cacac3a634810a20c', '{"after": {"data": {}, "email": "acc.pii7.17@example.com", "phone": "+1 512 pii7", "endDate": "2027-12-31T00:00:00.000Z", "manager": "c157d8b0-cceb-5515-b6dc-8b40bd9df1ba", "lastName": "Last-pii7", "firstName": "First-pii7", "startDate": "2027-01-01T00:00:00.000Z", "accountName": "acc.pii7.17"}}', '\xc00f8c1571fe4ccbb1cf5dd1b82fee70', '{01a215da-908e-7370-8d22-94d9d707deed,acc.pii7.17,acc.pii7.17@example.com}');


--
-- Data for Name: audit_entries; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.audit_entries VALUES
	(1, '2026-11-26 03:15:29.997+00', 'COMMAND_LINE', 'demo', 'SUCCESS', NULL, NULL, NULL, 'CREATE', 'IDENTITY', '3e751f58-38b1-5f78-ae28-70d611e9acbf', NULL, '{}', NULL, '\x37fb039c83072dbd2a357ef21701d123e1b690cdd92005ebf232940f7fcae245'),
	(2, '2026-11-26 03:15:32.34+00', 'COMMAND_LINE', 'demo', 'SUCCESS', NULL, NULL, NULL, 'CREATE', 'CLIENT', 'demo-admin', NULL, '{}', NULL, '\xdf54d01ae1cbfc50d243a82d72b8b6e73bdf012d941e2cc6e3389446e1cc93c7'),
	(3, '2026-11-26 03:15:32.346+00', 'COMMAND_LINE', 'demo', 'SUCCESS', NULL, NULL, NULL, 'CREATE', 'IDENTITY', '515fab36-53cb-51c5-b6b0-6872671081a0', NULL, '{}', NULL, '\x78f0ba518105bd804070406fe099dbcfa51a545a28b221a825f9fd33d1a13227'),
	(4, '2026-11-26 03:15:34.376+00', 'COMMAND_LINE', 'demo', 'SUCCESS', NULL, NULL, NULL, 'CREATE', 'CLIENT', 'demo-source.admin', NULL, '{}', NULL, '\xb93420507d31842dfa2d6b73fc803024cfb169a469fd003e64342555054bbb0e'),
	(5, '2026-11-26 03:15:34.378+00', 'COMMAND_LINE', 'demo', 'SUCCESS', NULL, NULL, NULL, 'CREATE', 'IDENTITY', 'c84b3bb4-affc-5e43-9527-5ee739584bda', NULL, '{}', NULL, '\xc28c2b34a027cab236b279bce81809dc39b04e3f5b6b417c050650e6b4f927c3'),
	(6, '2026-11-26 03:15:36.295+00', 'COMMAND_LINE', 'demo', 'SUCCESS', NULL, NULL, NULL, 'CREATE', 'CLIENT', 'demo-sub.admin', NULL, '{}', NULL, '\xe5b9ce69a914177dee5844743fb00cf7219e9874fbeba62a622f1fdb130ad3b8'),
	(7, '2026-11-26 03:15:36.297+00', 'COMMAND_LINE', 'demo', 'SUCCESS', NULL, NULL, NULL, 'CREATE', 'IDENTITY', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', NULL, '{}', NULL, '\x1b8ee641aac471cf6048be181dcb8b66a3d3700648d33e4164f64af6758a3788'),
	(8, '2026-11-26 03:15:37.505+00', 'COMMAND_LINE', 'demo', 'SUCCESS', NULL, NULL, NULL, 'CREATE', 'CLIENT', 'demo-jane.doe', NULL, '{}', NULL, '\x4b6765a528f35a0feef5b0a6d61ace714321e7e5b8cc2cc88ca783977cc64826'),
	(9, '2026-11-26 03:15:37.507+00', 'COMMAND_LINE', 'demo', 'SUCCESS', NULL, NULL, NULL, 'CREATE', 'IDENTITY', 'c157d8b0-cceb-5515-b6dc-8b40bd9df1ba', NULL, '{}', NULL, '\x6b90aca378c9e534389352e145defc40e58facc177ce5ea2d9efdf6068006e5c'),
	(10, '2026-11-26 03:15:38.845+00', 'COMMAND_LINE', 'demo', 'SUCCESS', NULL, NULL, NULL, 'CREATE', 'CLIENT', 'demo-john.roe', NULL, '{}', NULL, '\xf812b8bc8dd4cb2f58da6bf2507b6ba9c627fb8cdc56e6e7b37cdb02ead5747d'),
	(11, '2026-11-26 03:15:38.848+00', 'COMMAND_LINE', 'demo', 'SUCCESS', NULL, NULL, NULL, 'CREATE', 'IDENTITY', '2b2c8bad-f827-542b-89fc-9159b91c2f1f', NULL, '{}', NULL, '\x8f31facdb7f1e09b68248b138fa50a1adadb1457d88b7a7426ec46696009af53'),
	(12, '2026-11-26 03:15:40.389+00', 'COMMAND_LINE', 'demo', 'SUCCESS', NULL, NULL, NULL, 'CREATE', 'CLIENT', 'demo-approver.three', NULL, '{}', NULL, '\x0f9c8bdc562abce60654b608c75c2a5b67ac3b06dd27b8ada8740d33116bf448'),
	(13, '2026-11-26 03:15:40.392+00', 'COMMAND_LINE', 'demo', 'SUCCESS', NULL, NULL, NULL, 'CREATE', 'IDENTITY', 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', NULL, '{}', NULL, '\xc610a44f61af89c8f1c9d54611469b84f4c1d8d0a8e2002a758ee01e00307d5c'),
	(14, '2026-11-26 03:15:42.218+00', 'COMMAND_LINE', 'demo', 'SUCCESS', NULL, NULL, NULL, 'CREATE', 'CLIENT', 'demo-approver.one', NULL, '{}', NULL, '\x0a8c8bbcc85be7c9f699f25d186d79ab2253c4135659388c31de302ee8892235'),
	(15, '2026-11-26 03:15:42.225+00', 'COMMAND_LINE', 'demo', 'SUCCESS', NULL, NULL, NULL, 'CREATE', 'IDENTITY', 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', NULL, '{}', NULL, '\x151badff73313018d9bd42b268010f84ea3acfca68c459c986989658daf54225'),
	(16, '2026-11-26 03:15:43.651+00', 'COMMAND_LINE', 'demo', 'SUCCESS', NULL, NULL, NULL, 'CREATE', 'CLIENT', 'demo-approver.two', NULL, '{}', NULL, '\xb452a733f18d963c2329c0e222345c741e60d3144f453e960efc801ccb651a43'),
	(17, '2026-11-26 03:15:43.655+00', 'COMMAND_LINE', 'demo', 'SUCCESS', NULL, NULL, NULL, 'CREATE', 'IDENTITY', 'f9488600-57d5-583d-97f2-145bdd6748fd', NULL, '{}', NULL, '\x447a3034e5d8aa1508bafcd0ecb0395d4db1d4d143fee98cdfcd3e40ffc874ba'),
	(18, '2026-11-26 03:15:44.663+00', 'COMMAND_LINE', 'demo', 'SUCCESS', NULL, NULL, NULL, 'CREATE', 'CLIENT', 'demo-outsider', NULL, '{}', NULL, '\xfd905a0038f2f07d77bb84be7b4565643bcdc633b21bc1ed61e78b8ab6949bc9'),
	(19, '2026-11-26 03:15:44.673+00', 'COMMAND_LINE', 'demo', 'SUCCESS', NULL, NULL, NULL, 'CREATE', 'WORKGROUP', '8f79c642-da6a-5b78-abf3-2016468ad2ab', NULL, '{"members":["c84b3bb4-affc-5e43-9527-5ee739584bda"]}', NULL, '\xc42a41b182dca914707166368b318e52837c401b745d168fc58cffffa2038906'),
	(20, '2026-11-26 03:15:46.327+00', 'COMMAND_LINE', 'demo', 'SUCCESS', NULL, NULL, NULL, 'CREATE', 'CLIENT', 'demo-app', NULL, '{}', NULL, '\x87536634f7ae630965f55dacd0a2d574886e19ba5fa5f1020e39da0dcde09f96'),
	(21, '2026-11-26 03:15:46.349+00', 'COMMAND_LINE', 'api', 'SUCCESS', NULL, NULL, NULL, 'CREATE', 'SIGNING_KEY', '2fVa6H23NU3a8lK2lpmkARYb4eJv4VfeaVhUBn768sc', NULL, '{"signsFrom":"2026-11-26T03:15:46.336Z"}', NULL, NULL),
	(22, '2026-11-26 03:16:00.137+00', 'API', 'createNonEmployeeSource', 'SUCCESS', '3e751f58-38b1-5f78-ae28-70d611e9acbf', NULL, '0fd84f432becdd08011665d307a389e9', 'CREATE', 'SOURCE', '01a215da-55f2-7fe0-a07b-760616c52c0f', '01a215da-55f2-7fe0-a07b-760616c52c0f', '{"attributes":8}', '\xa2fea1598b9255b2543b908abc502fae82995c542895ebdbb79c8c96f28d4db8', '\x1f1dc2b47d51883e5e54496fc28ae1a98c8c9dde099fd49531b28ded00d5a0d3'),
	(23, '2026-11-26 03:16:00.156+00', 'API', 'createNonEmployeeRequest', 'SUCCESS', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', NULL, 'eb5064eaa5cfa25c570e1b6ccd0da1a3', 'CREATE', 'REQUEST', '01a215da-561b-7651-8809-d0e479980147', '01a215da-55f2-7fe0-a07b-760616c52c0f', '{"approvalItems": ["01a215da-561c-70c2-afd3-92ef04cade46", "01a215da-561c-7803-9a82-fffb8a02f181", "01a215da-561c-7880-a7fa-f8cd1525957f"]}', '\x7eab9f6e4444a47760bf10071377b47163bab26830b7da4799b681b581d5977a', '\xe3d56b35d98407aca6bb021b254309d9de1405d8380e81e0cdaa376d994b8d08'),
	(24, '2026-11-26 03:16:01.24+00', 'API', 'createNonEmployeeRequest', 'SUCCESS', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', NULL, '5c7efe7b921e29147dad5a26a6269978', 'CREATE', 'REQUEST', '01a215da-5a56-79fc-a330-5c37d45e9a31', '01a215da-55f2-7fe0-a07b-760616c52c0f', '{"approvalItems": ["01a215da-5a56-70eb-ac72-6f8231c53995", "01a215da-5a56-7c27-8313-5a04f8b1945f", "01a215da-5a56-71d6-a76c-1f33a40eb8dd"]}', '\xd088b4f294737e8215432ac79ccf4f46a1c8e9579b69769e00df323f7511eb43', '\x3ab7d2a8f3054ac6ed493aaa74052e44fdcabe4c647ee4e7819b0b7e7fe45a7a'),
	(25, '2026-11-26 03:16:01.667+00', 'API', 'approveNonEmployeeRequest', 'SUCCESS', 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', NULL, '8c2044e38e604b064ecabab2ed25e4d7', 'APPROVE', 'APPROVAL_ITEM', '01a215da-5a56-70eb-ac72-6f8231c53995', '01a215da-55f2-7fe0-a07b-760616c52c0f', '{"next": "01a215da-5a56-7c27-8313-5a04f8b1945f", "request": "01a215da-5a56-79fc-a330-5c37d45e9a31", "decision": "2bf42f3a-6ab2-54e0-b636-bacf949545fd"}', '\x55aa0a937221579995279a10f61d779fe14e7ee2a2683e406be8697e9d4b18e2', '\xf99e66a06ea87b11c2150d0acfe9de0561cc7a900ca04af525dca9ba3f75f6a3'),
	(26, '2026-11-26 03:16:01.694+00', 'API', 'approveNonEmployeeRequest', 'SUCCESS', 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', NULL, '8c2044e38e604b064ecabab2ed25e4d7', 'UPDATE', 'REQUEST', '01a215da-5a56-79fc-a330-5c37d45e9a31', '01a215da-55f2-7fe0-a07b-760616c52c0f', '{"item": "01a215da-5a56-70eb-ac72-6f8231c53995", "next": "01a215da-5a56-7c27-8313-5a04f8b1945f"}', '\xa6691a45766d4e1f07ed4c9bb736fd0fe939edc747b479001ac4c01f8cc1b15b', NULL),
	(27, '2026-11-26 03:16:02.043+00', 'API', 'createNonEmployeeSource', 'SUCCESS', '3e751f58-38b1-5f78-ae28-70d611e9acbf', NULL, '7b9b9667fc9890dbd2d911430a30ece5', 'CREATE', 'SOURCE', '01a215da-5d79-721d-b8bd-6fc615b285ea', '01a215da-5d79-721d-b8bd-6fc615b285ea', '{"attributes":8}', '\x4fdbed52126a03407a9b5c4b611d04df4c0d675fa626a624fcb2a18513e528a7', '\x47a5955675203b7bf53b0588560228a84bb5ae290218fc580b691ad216a93c71'),
	(28, '2026-11-26 03:16:02.062+00', 'API', 'putNonEmployeeSourceApprovalConfig', 'SUCCESS', '3e751f58-38b1-5f78-ae28-70d611e9acbf', NULL, '5e71fdb68a2e8882c5af31800ddc7dff', 'CREATE', 'APPROVAL_POLICY', '01a215da-5d8c-7bd1-ae83-ca1b0eb27987', '01a215da-5d79-721d-b8bd-6fc615b285ea', '{"version":1}', '\x5e85eda7b55cf56253092e1db7821560a2240e04176cda1b93a0ce9e4b360dd0', '\x034945f4a17e0424f88f7aa9c7cffa4bcd8050fc99f0eb07841b3a12efe8273e'),
	(29, '2026-11-26 03:16:02.068+00', 'API', 'createNonEmployeeRequest', 'SUCCESS', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', NULL, '8ee01b1191867791d1296fb295476843', 'CREATE', 'REQUEST', '01a215da-5d93-7eb9-a98d-cb12a9d5e09f', '01a215da-5d79-721d-b8bd-6fc615b285ea', '{"approvalItems": ["01a215da-5d93-791a-a122-841470ef68fa", "01a215da-5d93-7081-8f6b-0380232895bb"]}', '\x1a49bc461162f72d4d4befa192e5747b635f5dceac1d214f892fadb80f8b3020', '\x23f691271af93e7dac35088447aeffaf4e7f4ee94c9c4b16f9694ea282c1b6e5'),
	(30, '2026-11-26 03:16:02.621+00', 'API', 'createNonEmployeeRequest', 'SUCCESS', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', NULL, '83736f0fda70bf985cd0651f5d119155', 'CREATE', 'REQUEST', '01a215da-5fba-7326-babc-5c0e8d36ab0b', '01a215da-5d79-721d-b8bd-6fc615b285ea', '{"approvalItems": ["01a215da-5fbc-7bef-ba0f-075813ac03ed", "01a215da-5fbc-7fab-a5db-ac72c67b21d9"]}', '\x3b2333b38db03f327e00aec7e0106e1878255c5fd19188d0634606214b870488', '\xf1e7121cf44b3107238eafa0ed98a2e20e8b3d8f89f4589b7036c4bd935a6a72'),
	(31, '2026-11-26 03:16:03.853+00', 'WORKFLOW', 'FallDue', 'SUCCESS', NULL, NULL, NULL, 'UPDATE', 'APPROVAL_ITEM', '01a215da-5fbc-7bef-ba0f-075813ac03ed', '01a215da-5d79-721d-b8bd-6fc615b285ea', '{"step": "reminder", "number": 1, "request": "01a215da-5fba-7326-babc-5c0e8d36ab0b"}', NULL, NULL),
	(32, '2026-11-26 03:16:03.877+00', 'API', 'createNonEmployeeSource', 'SUCCESS', '3e751f58-38b1-5f78-ae28-70d611e9acbf', NULL, '93d63405b4eedcc112c2e8303c734a12', 'CREATE', 'SOURCE', '01a215da-64a2-792c-823e-2fd8cbb073d0', '01a215da-64a2-792c-823e-2fd8cbb073d0', '{"attributes":8}', '\x4280f4968e3e07b6881afd0e5f9c4d06925d9e15c76dc4a251833c4cc6291323', '\x85c8d4c15624d48606e394768d89b08c404ecce7e767cd4c1e576cb38ccf1abf'),
	(33, '2026-11-26 03:16:03.893+00', 'API', 'putNonEmployeeSourceApprovalConfig', 'SUCCESS', '3e751f58-38b1-5f78-ae28-70d611e9acbf', NULL, '0c060ee2b5bfc56ec6121d8671ef7c16', 'CREATE', 'APPROVAL_POLICY', '01a215da-64ad-7278-8f01-b8c3bac6e6c4', '01a215da-64a2-792c-823e-2fd8cbb073d0', '{"version":1}', '\x8aee96a9cbf1e6ca7afc165c2b51a24635bfe0914be3ea0c635518d986d0fa9a', '\x6879ebf027212497c96bfe01bbd0bacf0ea9f34a821b20ffa188bba3d771d5c8'),
	(34, '2026-11-26 03:16:03.908+00', 'API', 'createNonEmployeeRequest', 'SUCCESS', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', NULL, '2f2d17bee5a2996205d2e728971d2e1c', 'CREATE', 'REQUEST', '01a215da-64bd-796d-a63e-fbbd9f3e750d', '01a215da-64a2-792c-823e-2fd8cbb073d0', '{"approvalItems": ["01a215da-64c1-7444-8332-c5ecfde10f7b"]}', '\x1a3c61d983d41eeb656ad519d2dad2c400f5fda91bcbe1e74e6e1bcb51c3bd09', '\x008df802f4b02b94651a75e1d68c24ff7bb0366790e0cd88617013ffa17da5f8'),
	(35, '2026-11-26 03:16:04.756+00', 'API', 'createNonEmployeeSource', 'SUCCESS', '3e751f58-38b1-5f78-ae28-70d611e9acbf', NULL, '46a0f1621ea2c9a111988962597c2127', 'CREATE', 'SOURCE', '01a215da-680e-7aca-9978-f77a9b1ffc25', '01a215da-680e-7aca-9978-f77a9b1ffc25', '{"attributes":8}', '\xafd13df90c633489d44fce443692594a704cd22d9a118d6b48ebfdf9ca8016bf', '\x191c261ca38e7d72ff71d1696e5ab58e04739f52b86b719a5f85636d40e98590'),
	(36, '2026-11-26 03:16:04.763+00', 'API', 'createNonEmployeeRequest', 'SUCCESS', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', NULL, '26e0dd42305d7128146f2a4830395cb5', 'CREATE', 'REQUEST', '01a215da-6819-7e90-9367-77abfa840f8b', '01a215da-680e-7aca-9978-f77a9b1ffc25', '{"approvalItems": ["01a215da-681a-784b-a236-9ee8c5d0f71e"]}', '\x635302d8cd1c4091e6c8cb34eb8ff54392c56c9bedb197b1f3dec4ed7c993fcb', '\x8bd6ca30a4bf76f7b4c77ff5beb32adfbb9fd449699f5d23416b373c0c060678'),
	(37, '2026-11-26 03:16:06.47+00', 'API', 'createIdentityAbsence', 'SUCCESS', 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', NULL, '3327dea2ae461c2ad115b9f68a84564c', 'CREATE', 'ABSENCE', '01a215da-6ec3-73a9-9242-e1fb08b44fe4', NULL, '{"deputy":"f9488600-57d5-583d-97f2-145bdd6748fd","identity":"a3d738ef-c3a5-53a5-8ee9-613c2fb0d143"}', '\xfa1ab6e5e01294b148746e278de87ba7a034f1bef4f40a0045a70f46a7205dd7', '\x6657e57baea44c84a687e13ece5a7845d6bdfe231d64d6c7ab3ecf1644fcd3a5'),
	(38, '2026-11-26 03:16:06.941+00', 'WORKFLOW', 'SettleAbsence', 'SUCCESS', NULL, NULL, NULL, 'UPDATE', 'APPROVAL_ITEM', '01a215da-5a56-7c27-8313-5a04f8b1945f', '01a215da-55f2-7fe0-a07b-760616c52c0f', '{"to": "f9488600-57d5-583d-97f2-145bdd6748fd", "from": "a3d738ef-c3a5-53a5-8ee9-613c2fb0d143", "type": "DELEGATION", "number": 1, "request": "01a215da-5a56-79fc-a330-5c37d45e9a31", "onBehalfOf": "a3d738ef-c3a5-53a5-8ee9-613c2fb0d143"}', NULL, NULL),
	(39, '2026-11-26 03:16:06.947+00', 'WORKFLOW', 'SettleAbsence', 'SUCCESS', NULL, NULL, NULL, 'UPDATE', 'APPROVAL_ITEM', '01a215da-681a-784b-a236-9ee8c5d0f71e', '01a215da-680e-7aca-9978-f77a9b1ffc25', '{"to": "f9488600-57d5-583d-97f2-145bdd6748fd", "from": "a3d738ef-c3a5-53a5-8ee9-613c2fb0d143", "type": "DELEGATION", "number": 1, "request": "01a215da-6819-7e90-9367-77abfa840f8b", "onBehalfOf": "a3d738ef-c3a5-53a5-8ee9-613c2fb0d143"}', NULL, NULL),
	(40, '2026-11-26 03:16:07.515+00', 'API', 'createNonEmployeeRecord', 'SUCCESS', '3e751f58-38b1-5f78-ae28-70d611e9acbf', NULL, 'ddf2c2b5f8e9f4388eab66097d73c038', 'CREATE', 'RECORD', '01a215da-72da-7779-a091-27b44a649d77', '01a215da-55f2-7fe0-a07b-760616c52c0f', '{}', '\x388ec10044dbde57fbca69460c6adeee1bfd68e4e2234e114937a22340aed7df', '\xce5bf158b54b8d0a6f767ede37005203886556c3ba0ab9f3b286e111666e3d32'),
	(41, '2026-11-26 03:16:07.538+00', 'API', 'createNonEmployeeExtension', 'SUCCESS', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', NULL, 'e555807dd1b5ae9328eee9125d3f50a0', 'CREATE', 'REQUEST', '01a215da-72ee-77d9-872e-3b65833e7acf', '01a215da-55f2-7fe0-a07b-760616c52c0f', '{"kind": "EXTENSION", "records": 1, "skipped": 0, "approvalItems": ["01a215da-72f0-7616-8f99-d688557da55e", "01a215da-72f0-738e-8a4d-edd9bc09613e", "01a215da-72f0-746a-aaf3-d9e89db06bb6"]}', '\x18c62b967f8a63c4a33f1976fdcabde2163fdfd510b1490934bb172747571bdb', NULL),
	(42, '2026-11-26 03:16:08.608+00', 'API', 'createNonEmployeeSource', 'SUCCESS', '3e751f58-38b1-5f78-ae28-70d611e9acbf', NULL, '0115784a3254fa0ff26b7ff18a6b8aba', 'CREATE', 'SOURCE', '01a215da-7713-760e-9fa9-c39baa6e00d4', '01a215da-7713-760e-9fa9-c39baa6e00d4', '{"attributes":8}', '\xf777592b0fb6b89174e292981e5663034fc0af9b1c7d188f0566ba2d2188f665', '\xe42a9daf08f66010819f5cd62db88f29ebb5ef8aa7dbe362d47643a137c43c80'),
	(43, '2026-11-26 03:16:08.636+00', 'API', 'importNonEmployeeRecordsInBulk', 'SUCCESS', '3e751f58-38b1-5f78-ae28-70d611e9acbf', NULL, '25a45acb2dd438b3318b826c81e15213', 'CREATE', 'IMPORT', '01a215da-7731-71ba-9744-18362ebd5cd1', '01a215da-7713-760e-9fa9-c39baa6e00d4', '{"total": 2, "columns": 0}', '\x67dcb9a625bee5e37d10cc1907ab598efd22b801061f890d7c2de464ca7c5706', NULL),
	(44, '2026-11-26 03:16:14.685+00', 'API', 'importNonEmployeeRecordsInBulk', 'SUCCESS', '3e751f58-38b1-5f78-ae28-70d611e9acbf', NULL, 'c920d3d06ef6d3c3bc3506d7fb6c3a48', 'CREATE', 'IMPORT', '01a215da-7b5e-79a4-9ad4-f7c257f9958b', '01a215da-7713-760e-9fa9-c39baa6e00d4', '{"total": 1, "columns": 0}', '\x17fd7871d9f154bbffcb3121904692a9dac802bc676364327742d1d503b002a2', NULL),
	(45, '2026-11-26 03:16:14.759+00', 'API', 'createNonEmployeeSource', 'SUCCESS', '3e751f58-38b1-5f78-ae28-70d611e9acbf', NULL, 'f31200502239696298374b022fe655e7', 'CREATE', 'SOURCE', '01a215da-8f23-75f8-9b74-f7422e3fa840', '01a215da-8f23-75f8-9b74-f7422e3fa840', '{"attributes":8}', '\xea3e95e3e47791a86173a75d8573afc066eefa072059b1548205aff0fa5a56a3', '\x9cdaf10020aa306df2df86a42e72d82da7f54a528575dba04855aa5ad8eaa92e'),
	(46, '2026-11-26 03:16:14.778+00', 'API', 'createNonEmployeeRecord', 'SUCCESS', '3e751f58-38b1-5f78-ae28-70d611e9acbf', NULL, 'f4c7929589b410490ec4e2de77d1c2d5', 'CREATE', 'RECORD', '01a215da-8f3a-7b83-b520-0bb3122aab3f', '01a215da-8f23-75f8-9b74-f7422e3fa840', '{}', '\x5740d7bd2206d83875748273f2cd7d1277a3acf7d14eb9bf653cc7acc68652c6', '\xc6e0b85603f3a8ddec2349a03c3fba1f93946f7a60d0585bcb2a1f5d0fc3cbb8'),
	(47, '2026-11-26 03:16:14.789+00', 'API', 'createNonEmployeeExportSchedule', 'SUCCESS', '3e751f58-38b1-5f78-ae28-70d611e9acbf', NULL, '499f5c49ae2326d787cb7ad5d4afda63', 'CREATE', 'EXPORT_SCHEDULE', '01a215da-8f43-7854-8628-d59055418fdc', '01a215da-8f23-75f8-9b74-f7422e3fa840', '{}', '\x21ed2e7a61f260d417c48560ebd9f52f181c1c1e8768860eab35d5468ca213ae', '\x9448f793024974235cc63b1c973531f313d6d9f83df226e3314898e5595f5f0b'),
	(48, '2026-11-26 03:16:14.839+00', 'API', 'exportNonEmployeeRecords', 'SUCCESS', '3e751f58-38b1-5f78-ae28-70d611e9acbf', NULL, '9e2f9253585619b59904cf637a8e3ef9', 'CREATE', 'EXPORT', '01a215da-8f77-7862-8d82-6f9d0a7d359e', '01a215da-8f23-75f8-9b74-f7422e3fa840', '{}', '\x0543f1b23cf504abb728144852ea8c663f46441b940730970bd95e8ec887244f', NULL),
	(49, '2026-11-26 03:16:15.106+00', 'API', 'createWebhook', 'SUCCESS', '3e751f58-38b1-5f78-ae28-70d611e9acbf', NULL, '555dbe8d561cde15597a52ba70d21dc7', 'CREATE', 'WEBHOOK_ENDPOINT', '01a215da-9064-70b5-926e-e0b64791b137', NULL, '{}', '\x0bba33e7798ec0937dfc44d31afc6c165953de9981408f72138cc97c828946e2', '\xc450f0e3ed6066db9bb4c4a1eea33ae1862699804f374e19e56ddb129189d490'),
	(50, '2026-11-26 03:16:15.113+00', 'API', 'createNonEmployeeSource', 'SUCCESS', '3e751f58-38b1-5f78-ae28-70d611e9acbf', NULL, '129e43db7be91591aac2a6ee61434108', 'CREATE', 'SOURCE', '01a215da-9087-7d22-82ee-fa8c309d1508', '01a215da-9087-7d22-82ee-fa8c309d1508', '{"attributes":8}', '\x48f6085db2326e0390d3160f118ad12f813262256fcd1ad0210db956958e0552', '\x3b7b9225769b73b9cd49e9e213070e2757fa3b4c1b1fb1fdccaff73f8f0f490b'),
	(51, '2026-11-26 03:16:15.119+00', 'API', 'createNonEmployeeRequest', 'SUCCESS', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', NULL, '25d0b1ffce49b60489935ca086b642e2', 'CREATE', 'REQUEST', '01a215da-908e-7370-8d22-94d9d707deed', '01a215da-9087-7d22-82ee-fa8c309d1508', '{"approvalItems": ["01a215da-908e-7f69-aa71-e323aa954cc1"]}', '\xfdc68ad0e55ad4f008a0a51ee4b61dcaa6b909843c7f4c0fe192ea0599d25e40', '\x5f54a6c1978a2282c9d35b3739163f3e696ca386c36aa66fed54aab8f707a4e4');


--
-- Data for Name: audit_seals; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.audit_seals VALUES
	(1, 1, '\xde16ff0553c3003255f44cef605c862d0a8a0a20294e386fa0933369f2f623a3', '2026-11-26 03:15:47.689+00'),
	(2, 2, '\x61e95b0e84aec8064f70c6ad0da191322fb75af4c536163e0126d44dd947e780', '2026-11-26 03:15:47.689+00'),
	(3, 3, '\x971b049dc6bffa90cb0c1a3dffdfb051994bc37a4dad1990ec26094a1331f3b2', '2026-11-26 03:15:47.689+00'),
	(4, 4, '\x4e8536a1d84a0bf026d5f5d00076a0416ce0f9e95ba5e42e858e38edf6b772e0', '2026-11-26 03:15:47.689+00'),
	(5, 5, '\x55ef94b592c23a0fda5e9179741c26a0e2ff386b1a8b70ef98da0663f93e33e3', '2026-11-26 03:15:47.689+00'),
	(6, 6, '\xc31b5534e57675d178cae1e4cfcdc13053be1883b60fa7ff1a67def64957202e', '2026-11-26 03:15:47.689+00'),
	(7, 7, '\x82bc06f3af7a0f1354c75655b121c258fa7b29226e11fcb65999ff87cb886613', '2026-11-26 03:15:47.689+00'),
	(8, 8, '\x79808016c7f52ef269de81c088ddf8a54e11b631c7433d5d6045679c7be3a296', '2026-11-26 03:15:47.689+00'),
	(9, 9, '\x7c2b0fd57c6e5d3ff6d281698a72ee03c2dbfe4d6ca23fe9f7e4bac1305b7343', '2026-11-26 03:15:47.689+00'),
	(10, 10, '\x89036eb10d5e32b13686e7bfb72a7cfa86a2d620c967d691dcbfb3829cec0897', '2026-11-26 03:15:47.689+00'),
	(11, 11, '\xc5363a2b3973588f91a004d93758d168de123fddbb59ac6f784678b146b9bb9a', '2026-11-26 03:15:47.689+00'),
	(12, 12, '\x83b30b62b1220806a24a446ac59c911afaec463d2601071443a43056388e2473', '2026-11-26 03:15:47.689+00'),
	(13, 13, '\x858a0e57053bd1064948c3e880432f3fd42e2cfa490861ff8c905ad9eace5b7f', '2026-11-26 03:15:47.689+00'),
	(14, 14, '\x4daee36dc56181e748e4eb3c9027cfb0f43d53d090f6fc32ba90768740b72d5b', '2026-11-26 03:15:47.689+00'),
	(15, 15, '\x5b4bb6521af2bc004f801a9fdb5ae49e4e846685c09800d82f897ba5b86abec4', '2026-11-26 03:15:47.689+00'),
	(16, 16, '\xc91503ee0e309f259bf2e03420ff91cd4f6eb09dc52eba3310f5067f09bb9e51', '2026-11-26 03:15:47.689+00'),
	(17, 17, '\x5b0aa9b088270dd4711c9754bb87ead2aad9ce094dc5407646a2011219d142f5', '2026-11-26 03:15:47.689+00'),
	(18, 18, '\xe8115366849a9f2da09eefe6eab801857419160a4ae69e0c6cc6e68634d4f8e7', '2026-11-26 03:15:47.689+00'),
	(19, 19, '\xb5de645cfc68c31817685720abb857bfb8b14831b34e2a46131239109f43eae2', '2026-11-26 03:15:47.689+00'),
	(20, 20, '\xdc8fd8b60b0117a4766fe3c94eaa2c2e58c7167e7d2e3839c2b63b12e49cb7a1', '2026-11-26 03:15:47.689+00'),
	(21, 21, '\x1efc2913ca5e23f0d0e8e3aa70225da4b89609678545360e49dfa4fd3e179544', '2026-11-26 03:15:47.689+00'),
	(22, 22, '\x0418784cac14de7df1a50e8ec2858ccae85eb2a819a7e79b082c03d9d1358c76', '2026-11-26 03:16:00.685+00'),
	(23, 23, '\xe49b0c1da77c2cfa00dfeb820847cde7fc6dad64facd7922a644a750f5cc6be6', '2026-11-26 03:16:00.685+00'),
	(24, 24, '\x705a6ff6e84eada67905dca9e9ebc9e015f4db3ea5004d11361450a5adf60370', '2026-11-26 03:16:01.639+00'),
	(25, 25, '\xea35a58e270e6a62a0f424af60c7ca88ae84c78f68291b68b1a9432a8515bf5f', '2026-11-26 03:16:02.627+00'),
	(26, 26, '\xcb7c0ad9fd10b0b08c70aedf5b594a28e38b3838990cd58b2212171078383e70', '2026-11-26 03:16:02.627+00'),
	(27, 27, '\x1f7cec1dfacab6334340e0cea256dfc3076c35a74f5b05103c95e7882acda262', '2026-11-26 03:16:02.627+00'),
	(28, 28, '\xfcc409198220be8c250b2ef2b5adf07d29202a4337138c7ea5b611d19af1e1fb', '2026-11-26 03:16:02.627+00'),
	(29, 29, '\x29c1fd635bda07c92c44c4e3040e538f6ca4778c6c6b3277b549d66b19a2f5f1', '2026-11-26 03:16:02.627+00'),
	(30, 30, '\x529fe9a283560c8c5fb9c47136e8e22d347b7f3ad66d5e8a0d25fd7f3f92e888', '2026-11-26 03:16:03.627+00'),
	(31, 31, '\xc0193ab382803d3ca474c986d40fbc516596db34c8865f4f1a302f05961d5550', '2026-11-26 03:16:04.633+00'),
	(32, 32, '\x2cd443f6ed41d7843cea89ad3f52eae2efabce8ac8b0304561ab836377b614a6', '2026-11-26 03:16:04.633+00'),
	(33, 33, '\x8a95d77a33c8f71628e09091b595d09780352d7ae0d7fea7c95f16cad46f878b', '2026-11-26 03:16:04.633+00'),
	(34, 34, '\x908ec2eefbc3c3a99644eb442184236b612e30ac5cc43907de2c66e508dfbe69', '2026-11-26 03:16:04.633+00'),
	(35, 35, '\x1c813c34fc110a02d2fb6167f2b56da9c204649ec7b0f7d7690afd38019fea71', '2026-11-26 03:16:05.696+00'),
	(36, 36, '\x82209782397b3f3dd46f1bbf8857b35e8ac28c5bca5fbef45e03385c807f6536', '2026-11-26 03:16:05.696+00'),
	(37, 37, '\xc0f4a38db923efd68ff82eee4ec1f54f2695a024447317adb9fe6678ae1cc1e4', '2026-11-26 03:16:06.667+00'),
	(38, 38, '\x39aeea42e4f3046c07bfbfdcdf1260b3f42615984b389957d2d2f6b9f5d1e89e', '2026-11-26 03:16:07.632+00'),
	(39, 39, '\x6837ebaea4cdecd7125863a2b596ccd9a5dd3a5e5547a45830247015619af93e', '2026-11-26 03:16:07.632+00'),
	(40, 40, '\xc77f1e9ac55c0674de354f3381ec5f9edd3b38465653f2843b0cdedad446494a', '2026-11-26 03:16:07.632+00'),
	(41, 41, '\xe8471b37561a762c7b0dbe983256e7ccd3f521b101697511ae832be93740125a', '2026-11-26 03:16:07.632+00'),
	(42, 42, '\xa14d5c3d3c848421e9860a977da4af4cbcc01b8ee735bca4feb745df4e5818f1', '2026-11-26 03:16:08.652+00');


--
-- Data for Name: audit_tail; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.audit_tail VALUES
	(43, '885'),
	(44, '909'),
	(45, '910'),
	(46, '911'),
	(47, '912'),
	(48, '913'),
	(49, '917'),
	(50, '918'),
	(51, '919');


--
-- Data for Name: bulk_garbage; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: clients; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.clients VALUES
	('demo-sub.admin', 'Sue Sub', '\x243261243130244d34313332534a725354417567614a4a4650464838657a33334850352f447559764c527062646b3653617a316c4463546a35463165', 'c84b3bb4-affc-5e43-9527-5ee739584bda', '{}', '{sp:scopes:all}', true, '2026-11-26 03:15:29.907+00', '', NULL),
	('demo-john.roe', 'John Roe', '\x243261243130244e38506d354467694d44756e6e6f6d39766974332f4f3671334c6f3162754c54376f5a306736576f7762617753576a46785833572e', 'c157d8b0-cceb-5515-b6dc-8b40bd9df1ba', '{}', '{sp:scopes:all}', true, '2026-11-26 03:15:29.907+00', '', NULL),
	('demo-app', 'Demo application', '\x24326124313024594f33504b443848743052444e34616b6a6c7855424f6b5435562f545731705261417848374c786d67506e416a46764944414b3371', NULL, '{idn:nesr:create,idn:nesr:read,idn:nesr:update,idn:nesr:delete}', '{sp:scopes:all}', true, '2026-11-26 03:15:29.907+00', '', NULL),
	('demo-approver.one', 'Ann One', '\x243261243130246c7258415145576d43594c716a634233724d6e51504f705833686b462f78706d626b6950694268425a68566e7a4c31625a49496c79', 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', '{}', '{sp:scopes:all}', true, '2026-11-26 03:15:29.907+00', '', '2026-11-26 03:15:49.813+00'),
	('demo-approver.two', 'Ben Two', '\x2432612431302469546d366e70455a4a5761524b57396a365544742e7569376a5a66617845477554644b3836565a69706a59576239666a724d356c4f', 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', '{}', '{sp:scopes:all}', true, '2026-11-26 03:15:29.907+00', '', '2026-11-26 03:15:53.032+00'),
	('demo-approver.three', 'Cleo Three', '\x2432612431302452664f614f2f36736f3571786a74726d4c3964626f4f5a4c553541355174767636574f6f734c59572f304b456d7536514137475a57', '2b2c8bad-f827-542b-89fc-9159b91c2f1f', '{}', '{sp:scopes:all}', true, '2026-11-26 03:15:29.907+00', '', '2026-11-26 03:15:55.167+00'),
	('demo-admin', 'Ada Admin', '\x243261243130243773323641376236554647667164665961564830357550324e6a305a2e535a5a6952516e576b4b7a492f4e31684c35784370613769', '3e751f58-38b1-5f78-ae28-70d611e9acbf', '{}', '{sp:scopes:all}', true, '2026-11-26 03:15:29.907+00', '', '2026-11-26 03:15:57.75+00'),
	('demo-source.admin', 'Sol Source', '\x243261243130246639712f31636b39747050414937675832665259596567424b4a363462783737545368464d534b5042572f5a69745275757174754b', '515fab36-53cb-51c5-b6b0-6872671081a0', '{}', '{sp:scopes:all}', true, '2026-11-26 03:15:29.907+00', '', '2026-11-26 03:15:58.877+00'),
	('demo-jane.doe', 'Jane Doe', '\x24326124313024484737656761437a5a51576b7778765747554d6a594f7349413244494d673878675662594347643856324e5558714b4332612f364b', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', '{}', '{sp:scopes:all}', true, '2026-11-26 03:15:29.907+00', '', '2026-11-26 03:16:00.106+00'),
	('demo-outsider', 'Otto Outsider', '\x243261243130245755694a504b545131623848675658325936422e4775584c48743442544441463666384f33707a51426e734b556772536e4c37794b', 'f9488600-57d5-583d-97f2-145bdd6748fd', '{}', '{sp:scopes:all}', true, '2026-11-26 03:15:29.907+00', '', '2026-11-26 03:16:06.454+00');


--
-- Data for Name: decision_comments; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.decision_comments VALUES
	('2bf42f3a-6ab2-54e0-b636-bacf949545fd', '01a215da-5a56-70eb-ac72-6f8231c53995', 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', 'approve', 'Fine pii7', '2026-11-26 03:16:01.495+00', 'demo-approver.one', '8c2044e38e604b064ecabab2ed25e4d7', '127.0.0.1');


--
-- Data for Name: decision_rejections; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: deliveries; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.deliveries VALUES
	('7eba22bc-0316-492c-9f44-ac963e350075', '01a215da-5620-77ea-a23b-76d4c929b365', '8f146435-48c8-55e4-8b7b-a5d01e098039', 'request_made', 'MAIL', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', NULL, 'DELIVERED', 1, 0, NULL, '', '2026-11-26 03:26:01.091+00', '2026-11-26 03:16:00.633+00', '2026-11-26 03:16:01.62+00', '2026-11-26 03:16:01.62+00'),
	('2dedfd5a-8051-4ab6-81b5-3b9e2335f9b1', '01a215da-5a5b-792a-8d29-b8cfe6ea3cc8', '829f40a9-a61f-53ac-ad8a-f4c77986a7e7', 'request_made', 'MAIL', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', NULL, 'DELIVERED', 1, 0, NULL, '', '2026-11-26 03:26:01.709+00', '2026-11-26 03:16:01.623+00', '2026-11-26 03:16:02.023+00', '2026-11-26 03:16:02.023+00'),
	('cb4079b3-da2a-486e-9a4e-d68585d81d71', '01a215da-5a35-7af8-81b5-fdeb0d352cb8', '9e0e432a-1ffb-5a8c-bcb4-44f16c73fe97', 'decision_needed', 'MAIL', 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', NULL, 'DELIVERED', 1, 0, NULL, '', '2026-11-26 03:26:01.709+00', '2026-11-26 03:16:01.623+00', '2026-11-26 03:16:02.035+00', '2026-11-26 03:16:02.035+00'),
	('1222d18c-1f3c-403c-8d04-1d2377693e64', '01a215da-5f5d-75f2-b0b2-decd42ecc231', 'af2ef344-d1e4-5d6e-9644-998a2dde6a5e', 'decision_needed', 'MAIL', 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', NULL, 'DELIVERED', 1, 0, NULL, '', '2026-11-26 03:26:02.803+00', '2026-11-26 03:16:02.624+00', '2026-11-26 03:16:02.98+00', '2026-11-26 03:16:02.98+00'),
	('8fa2d199-2ee5-4a8e-8c09-becc75c3b114', '01a215da-5c09-7177-b4d3-29c4d1ab826e', 'ab4c0a31-74d2-5795-bd7f-3019ecb5129a', 'decision_needed', 'MAIL', 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', NULL, 'DELIVERED', 1, 0, NULL, '', '2026-11-26 03:26:02.803+00', '2026-11-26 03:16:02.624+00', '2026-11-26 03:16:03.124+00', '2026-11-26 03:16:03.124+00'),
	('6f9bfa6c-290e-43fb-85b7-b32735b274b0', '01a215da-648f-7e62-b3c2-4df7e4a86615', '1421df72-0b3f-5cc7-b06c-82ff75ed037c', 'reminder', 'MAIL', 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', NULL, 'DELIVERED', 1, 0, NULL, '', '2026-11-26 03:26:04.903+00', '2026-11-26 03:16:04.622+00', '2026-11-26 03:16:05.213+00', '2026-11-26 03:16:05.213+00'),
	('e1b48041-dbfc-4656-8854-0aba695bb925', '01a215da-5d51-7cea-a944-d9e0a9bf10fa', 'c3370eff-8cfc-57a1-910b-c0acd9b9b0e4', 'decision_needed', 'MAIL', 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', NULL, 'DELIVERED', 1, 0, NULL, '', '2026-11-26 03:26:02.803+00', '2026-11-26 03:16:02.624+00', '2026-11-26 03:16:03.501+00', '2026-11-26 03:16:03.501+00'),
	('1c8d100e-290c-4496-80c3-f12ed1c4c726', '01a215da-5d95-738f-9639-7d9c6806bb39', 'dce7d6e9-552d-5a9c-b86b-2805c1e04ae5', 'request_made', 'MAIL', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', NULL, 'DELIVERED', 1, 0, NULL, '', '2026-11-26 03:26:02.803+00', '2026-11-26 03:16:02.624+00', '2026-11-26 03:16:03.655+00', '2026-11-26 03:16:03.655+00'),
	('d045e759-c719-460f-80e1-f19029a2beec', '01a215da-64c5-72e5-ab43-55990140521d', '161df92a-a575-5ec2-8024-659838e75bd5', 'request_made', 'MAIL', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', NULL, 'DELIVERED', 1, 0, NULL, '', '2026-11-26 03:26:04.903+00', '2026-11-26 03:16:04.622+00', '2026-11-26 03:16:05.438+00', '2026-11-26 03:16:05.438+00'),
	('309449fd-3ec0-4e2e-aa94-712885c5916c', '01a215da-5fbf-7f0a-b64e-c485db8c661a', '953e56f6-64c5-56f9-84bd-793b61809080', 'request_made', 'MAIL', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', NULL, 'DELIVERED', 1, 0, NULL, '', '2026-11-26 03:26:03.987+00', '2026-11-26 03:16:03.622+00', '2026-11-26 03:16:04.555+00', '2026-11-26 03:16:04.555+00'),
	('9f795588-26f7-4e60-b90b-860470abbd92', '01a215da-61a4-7014-a4ba-43d07a3d07d8', '3d5fc72e-ff5c-5185-9472-14ec5b199ab7', 'decision_needed', 'MAIL', 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', NULL, 'DELIVERED', 1, 0, NULL, '', '2026-11-26 03:26:03.987+00', '2026-11-26 03:16:03.622+00', '2026-11-26 03:16:05.729+00', '2026-11-26 03:16:05.729+00'),
	('10a7a00d-3f28-45c5-bf25-e10569463497', '01a215da-6a38-737d-b99e-772b889b0b8c', 'c0f50be6-386e-5414-bd9f-253f1e7d2a5c', 'decision_needed', 'MAIL', 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', NULL, 'DELIVERED', 1, 0, NULL, '', '2026-11-26 03:26:06.036+00', '2026-11-26 03:16:05.635+00', '2026-11-26 03:16:06.566+00', '2026-11-26 03:16:06.566+00'),
	('cda334e5-6fe6-4d30-8815-566e478306c7', '01a215da-67f1-7bef-ad28-2786b02cb81c', '0ff9ccb6-5796-5150-8672-889921a4b9ae', 'decision_needed', 'MAIL', 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', NULL, 'DELIVERED', 1, 0, NULL, '', '2026-11-26 03:26:06.036+00', '2026-11-26 03:16:05.635+00', '2026-11-26 03:16:07.446+00', '2026-11-26 03:16:07.446+00'),
	('a4dcd28d-69f9-4524-8542-82b103841dce', '01a215da-72f7-7d97-9fef-cbeb1d87b770', 'f953165e-1b73-54d3-bb3c-498be3e1ce3f', 'request_made', 'MAIL', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', NULL, 'DELIVERED', 1, 0, NULL, '', '2026-11-26 03:26:08.209+00', '2026-11-26 03:16:07.622+00', '2026-11-26 03:16:08.602+00', '2026-11-26 03:16:08.602+00'),
	('9ce28d5b-e863-4632-a3b4-3eb702aeb6ad', '01a215da-70a5-7c46-a169-93ed915d8645', '7f470356-2077-54a0-9676-0c3aeb7e7e2d', 'delegated', 'MAIL', 'f9488600-57d5-583d-97f2-145bdd6748fd', NULL, 'DELIVERED', 1, 0, NULL, '', '2026-11-26 03:26:08.209+00', '2026-11-26 03:16:07.622+00', '2026-11-26 03:16:08.664+00', '2026-11-26 03:16:08.664+00'),
	('a2208f9a-6889-4391-bf18-4389b8fb9a7a', '01a215da-76f5-7402-9ab1-dddd87ead23b', '5c149170-b290-5b98-a8a3-6af93ce594bb', 'decision_needed', 'MAIL', 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', NULL, 'DELIVERED', 1, 0, NULL, '', '2026-11-26 03:26:08.751+00', '2026-11-26 03:16:08.623+00', '2026-11-26 03:16:09.172+00', '2026-11-26 03:16:09.172+00'),
	('23beccbf-f4cd-4aa1-bd96-b2e7db531ca3', '01a215da-681c-784b-b535-f1fc55382422', '120ae62d-0b2f-5499-94fb-569464052bef', 'request_made', 'MAIL', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', NULL, 'DELIVERED', 1, 0, NULL, '', '2026-11-26 03:26:06.036+00', '2026-11-26 03:16:05.635+00', '2026-11-26 03:16:10.294+00', '2026-11-26 03:16:10.294+00'),
	('c6e85b98-4062-458c-86cc-6835e5eb5b2f', '01a215da-70a0-7f56-a0bf-7333e3a98b74', '9146a624-e862-559a-b1d8-4f9cfdb12600', 'delegated', 'MAIL', 'f9488600-57d5-583d-97f2-145bdd6748fd', NULL, 'DELIVERED', 1, 0, NULL, '', '2026-11-26 03:26:08.209+00', '2026-11-26 03:16:07.622+00', '2026-11-26 03:16:10.534+00', '2026-11-26 03:16:10.534+00'),
	('b3219e3f-8f11-46a8-ae18-4e5e30a8b3f4', '01a215da-70a0-7164-b39b-e46a9e58be06', '9146a624-e862-559a-b1d8-4f9cfdb12600', 'delegated', 'MAIL', 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', NULL, 'DELIVERED', 1, 0, NULL, '', '2026-11-26 03:26:08.209+00', '2026-11-26 03:16:07.622+00', '2026-11-26 03:16:10.794+00', '2026-11-26 03:16:10.794+00'),
	('9fa23596-e879-441e-bd9e-bddaea649b7e', '01a215da-70a5-70c1-a6f9-b2cbd3f99649', '7f470356-2077-54a0-9676-0c3aeb7e7e2d', 'delegated', 'MAIL', 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', NULL, 'DELIVERED', 1, 0, NULL, '', '2026-11-26 03:26:08.209+00', '2026-11-26 03:16:07.622+00', '2026-11-26 03:16:10.956+00', '2026-11-26 03:16:10.956+00'),
	('b68cc076-e025-4908-a0bf-d60c42ec0766', '01a215da-9090-7fd1-a7ef-883690ccb898', 'bb2669ae-6a6c-5c8e-b07b-6a748382531b', 'request_made', 'MAIL', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', NULL, 'DELIVERED', 1, 0, NULL, '', '2026-11-26 03:26:15.726+00', '2026-11-26 03:16:15.622+00', '2026-11-26 03:16:16.056+00', '2026-11-26 03:16:16.056+00'),
	('fdbef0b7-b2eb-436f-9a1c-08428575ee9a', '01a215da-912e-7eb0-827c-29b1594a30c9', 'e175a489-cbb2-5feb-be9c-40167b8ee8bc', 'decision_needed', 'MAIL', '2b2c8bad-f827-542b-89fc-9159b91c2f1f', NULL, 'DELIVERED', 1, 0, NULL, '', '2026-11-26 03:26:15.726+00', '2026-11-26 03:16:15.622+00', '2026-11-26 03:16:16.069+00', '2026-11-26 03:16:16.069+00'),
	('d82b4f87-4e6a-47e2-a5d1-0fa2882561e1', '01a215da-9090-7fd1-a7ef-883690ccb898', 'bb2669ae-6a6c-5c8e-b07b-6a748382531b', 'request_made', 'WEBHOOK', NULL, '01a215da-9064-70b5-926e-e0b64791b137', 'PENDING', 1, 0, NULL, 'unreachable', '2026-11-26 03:26:15.726+00', '2026-11-26 03:16:15.622+00', '2026-11-26 03:16:16.171+00', NULL);


--
-- Data for Name: erasures; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: export_chunks; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: export_jobs; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.export_jobs VALUES
	('01a215da-8f77-7862-8d82-6f9d0a7d359e', '01a215da-8f23-75f8-9b74-f7422e3fa840', NULL, '3e751f58-38b1-5f78-ae28-70d611e9acbf', 'demo-admin', 'IN_PROGRESS', 1, 0, 0, '2026-11-26 03:16:14.839+00', '2026-11-26 03:16:15.056+00', NULL, NULL);


--
-- Data for Name: export_schedules; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.export_schedules VALUES
	('01a215da-8f43-7854-8628-d59055418fdc', '01a215da-8f23-75f8-9b74-f7422e3fa840', '@weekly', 'UTC', 1, '3e751f58-38b1-5f78-ae28-70d611e9acbf', 'demo-admin', '2026-11-26 03:16:14.787+00', '2026-11-26 03:16:14.787+00');


--
-- Data for Name: extension_records; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.extension_records VALUES
	('01a215da-72ee-77d9-872e-3b65833e7acf', 1, '01a215da-72da-7779-a091-27b44a649d77', '2027-12-31 00:00:00+00', '2099-12-31 00:00:00+00', 'PENDING', '', NULL);


--
-- Data for Name: extensions; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.extensions VALUES
	('01a215da-72ee-77d9-872e-3b65833e7acf', '2099-12-31 00:00:00+00', '', 1, 0, 0, 0, 0);


--
-- Data for Name: gatehouse_migrations; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.gatehouse_migrations VALUES
	(1, 0, true, '2026-11-26 03:15:25.611407'),
	(2, 1, true, '2026-11-26 03:15:26.146614'),
	(3, 2, true, '2026-11-26 03:15:26.187583'),
	(4, 3, true, '2026-11-26 03:15:26.207676'),
	(5, 4, true, '2026-11-26 03:15:26.216355'),
	(6, 5, true, '2026-11-26 03:15:26.229236'),
	(7, 6, true, '2026-11-26 03:15:26.24678'),
	(8, 7, true, '2026-11-26 03:15:26.248567'),
	(9, 8, true, '2026-11-26 03:15:26.271465'),
	(10, 9, true, '2026-11-26 03:15:26.298148'),
	(11, 10, true, '2026-11-26 03:15:26.30145'),
	(12, 11, true, '2026-11-26 03:15:26.321037'),
	(13, 12, true, '2026-11-26 03:15:26.323592'),
	(14, 13, true, '2026-11-26 03:15:26.340205');


--
-- Data for Name: identities; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.identities VALUES
	('3e751f58-38b1-5f78-ae28-70d611e9acbf', 'admin', 'admin', 'Ada Admin', 'admin@example.com', '{ORG_ADMIN}', true, '2026-11-26 03:15:29.907+00', '2026-11-26 03:15:29.907+00', 'ada admin', 'admin@example.com', '', '', '', '', '', '', 1, NULL, NULL, ''),
	('515fab36-53cb-51c5-b6b0-6872671081a0', 'source.admin', 'source.admin', 'Sol Source', 'source.admin@example.com', '{SOURCE_ADMIN}', true, '2026-11-26 03:15:29.907+00', '2026-11-26 03:15:29.907+00', 'sol source', 'source.admin@example.com', '', '', '', '', '', '', 1, NULL, '3e751f58-38b1-5f78-ae28-70d611e9acbf', ''),
	('c84b3bb4-affc-5e43-9527-5ee739584bda', 'sub.admin', 'sub.admin', 'Sue Sub', 'sub.admin@example.com', '{SOURCE_SUBADMIN}', true, '2026-11-26 03:15:29.907+00', '2026-11-26 03:15:29.907+00', 'sue sub', 'sub.admin@example.com', '', '', '', '', '', '', 1, NULL, '515fab36-53cb-51c5-b6b0-6872671081a0', ''),
	('5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', 'jane.doe', 'jane.doe', 'Jane Doe', 'jane.doe@example.com', '{}', true, '2026-11-26 03:15:29.907+00', '2026-11-26 03:15:29.907+00', 'jane doe', 'jane.doe@example.com', '', '', '', '', '', '', 1, NULL, '515fab36-53cb-51c5-b6b0-6872671081a0', ''),
	('c157d8b0-cceb-5515-b6dc-8b40bd9df1ba', 'john.roe', 'john.roe', 'John Roe', 'john.roe@example.com', '{}', true, '2026-11-26 03:15:29.907+00', '2026-11-26 03:15:29.907+00', 'john roe', 'john.roe@example.com', '', '', '', '', '', '', 1, NULL, '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', ''),
	('2b2c8bad-f827-542b-89fc-9159b91c2f1f', 'approver.three', 'approver.three', 'Cleo Three', 'approver.three@example.com', '{}', true, '2026-11-26 03:15:29.907+00', '2026-11-26 03:15:29.907+00', 'cleo three', 'approver.three@example.com', '', '', '', '', '', '', 1, NULL, '515fab36-53cb-51c5-b6b0-6872671081a0', ''),
	('c2f40b2e-2b6e-55e7-8945-a0065fb794ab', 'approver.one', 'approver.one', 'Ann One', 'approver.one@example.com', '{}', true, '2026-11-26 03:15:29.907+00', '2026-11-26 03:15:29.907+00', 'ann one', 'approver.one@example.com', '', '', '', '', '', '', 1, NULL, '2b2c8bad-f827-542b-89fc-9159b91c2f1f', ''),
	('a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', 'approver.two', 'approver.two', 'Ben Two', 'approver.two@example.com', '{}', true, '2026-11-26 03:15:29.907+00', '2026-11-26 03:15:29.907+00', 'ben two', 'approver.two@example.com', '', '', '', '', '', '', 1, NULL, '2b2c8bad-f827-542b-89fc-9159b91c2f1f', ''),
	('f9488600-57d5-583d-97f2-145bdd6748fd', 'outsider', 'outsider', 'Otto Outsider', 'outsider@example.com', '{}', true, '2026-11-26 03:15:29.907+00', '2026-11-26 03:15:29.907+00', 'otto outsider', 'outsider@example.com', '', '', '', '', '', '', 1, NULL, NULL, '');


--
-- Data for Name: import_faults; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: import_jobs; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.import_jobs VALUES
	('01a215da-7731-71ba-9744-18362ebd5cd1', '01a215da-7713-760e-9fa9-c39baa6e00d4', '3e751f58-38b1-5f78-ae28-70d611e9acbf', 'demo-admin', 'PENDING', 1, NULL, '{}', 'accountName,firstName,lastName,phone,email,manager,startDate,endDate', 20000, 2, 0, 0, 0, 0, 0, 0, false, '2026-11-26 03:16:08.625+00', '2026-11-26 03:16:08.636+00', NULL, NULL),
	('01a215da-7b5e-79a4-9ad4-f7c257f9958b', '01a215da-7713-760e-9fa9-c39baa6e00d4', '3e751f58-38b1-5f78-ae28-70d611e9acbf', 'demo-admin', 'PENDING', 2, NULL, '{}', 'accountName,firstName,lastName,phone,email,manager,startDate,endDate', 20000, 1, 0, 0, 0, 0, 0, 0, false, '2026-11-26 03:16:09.694+00', '2026-11-26 03:16:14.685+00', NULL, NULL);


--
-- Data for Name: import_rows; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.import_rows VALUES
	('01a215da-7731-71ba-9744-18362ebd5cd1', 1, 2, '2027-01-01 00:00:00+00', '2028-01-01 00:00:00+00', '01a215da-7736-732b-aaa2-2ba9e23c80c1', 'c157d8b0-cceb-5515-b6dc-8b40bd9df1ba', false, NULL, NULL, NULL, 'worker.0000000', 'worker.0000000', 'Ada', 'ada', 'Andersson', 'andersson', '+1 512 555 0000', 'worker.0000000@example.com', 'worker.0000000@example.com', '{}', 'worker.0000000,Ada,Andersson,+1 512 555 0000,worker.0000000@example.com,john.roe,2027-01-01,2028-01-01'),
	('01a215da-7731-71ba-9744-18362ebd5cd1', 2, 3, '2027-02-02 00:00:00+00', '2028-02-02 00:00:00+00', '01a215da-7736-73a4-b620-14135d60013e', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', false, NULL, NULL, NULL, 'worker.0000001', 'worker.0000001', 'Benoît', 'benoît', 'Andersson', 'andersson', '+1 512 555 0001', 'worker.0000001@example.com', 'worker.0000001@example.com', '{}', 'worker.0000001,Benoît,Andersson,+1 512 555 0001,worker.0000001@example.com,jane.doe,2027-02-02,2028-02-02'),
	('01a215da-7b5e-79a4-9ad4-f7c257f9958b', 1, 2, '2027-01-01 00:00:00+00', '2027-12-31 00:00:00+00', '01a215da-7b60-78f6-ba29-7039fc25dc07', 'c157d8b0-cceb-5515-b6dc-8b40bd9df1ba', false, NULL, NULL, NULL, 'behind.pii7.13', 'behind.pii7.13', 'First-pii7', 'first-pii7', 'Last-pii7', 'last-pii7', '+1 512 555 0000', 'behind.pii7.13@example.com', 'behind.pii7.13@example.com', '{}', 'behind.pii7.13,First-pii7,Last-pii7,+1 512 555 0000,behind.pii7.13@example.com,john.roe,2027-01-01,2027-12-31');


--
-- Data for Name: lifecycle_policies; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.lifecycle_policies VALUES
	(NULL, '{"end": {"action": "NONE", "graceDays": 0}, "warnings": [{"to": ["ACCOUNT_MANAGERS", "MANAGER"], "days": 30}, {"to": ["ACCOUNT_MANAGERS", "MANAGER"], "days": 14}, {"to": ["ACCOUNT_MANAGERS", "MANAGER"], "days": 7}, {"to": ["ACCOUNT_MANAGERS", "MANAGER"], "days": 1}], "extension": {"approval": "REQUIRED"}}', '2026-11-26 03:15:26.324+00', '2026-11-26 03:15:26.324+00');


--
-- Data for Name: notification_records; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: notifications; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.notifications VALUES
	('01a215da-5620-77ea-a23b-76d4c929b365', 'request_made', '01a215da-561b-7651-8809-d0e479980147', '00000000-0000-0000-0000-000000000000', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', 'IDENTITY', '', '2026-11-26 03:16:00.16+00', '', '01a215da-55f2-7fe0-a07b-760616c52c0f', NULL, '{}', '8f146435-48c8-55e4-8b7b-a5d01e098039', '2026-11-26 03:16:00.633+00'),
	('01a215da-5a35-7af8-81b5-fdeb0d352cb8', 'decision_needed', '01a215da-561b-7651-8809-d0e479980147', '01a215da-561c-70c2-afd3-92ef04cade46', 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', 'IDENTITY', '', '2026-11-26 03:16:01.205+00', '', '01a215da-55f2-7fe0-a07b-760616c52c0f', NULL, '{}', '9e0e432a-1ffb-5a8c-bcb4-44f16c73fe97', '2026-11-26 03:16:01.623+00'),
	('01a215da-5a5b-792a-8d29-b8cfe6ea3cc8', 'request_made', '01a215da-5a56-79fc-a330-5c37d45e9a31', '00000000-0000-0000-0000-000000000000', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', 'IDENTITY', '', '2026-11-26 03:16:01.243+00', '', '01a215da-55f2-7fe0-a07b-760616c52c0f', NULL, '{}', '829f40a9-a61f-53ac-ad8a-f4c77986a7e7', '2026-11-26 03:16:01.623+00'),
	('01a215da-5c09-7177-b4d3-29c4d1ab826e', 'decision_needed', '01a215da-5a56-79fc-a330-5c37d45e9a31', '01a215da-5a56-70eb-ac72-6f8231c53995', 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', 'IDENTITY', '', '2026-11-26 03:16:01.673+00', '', '01a215da-55f2-7fe0-a07b-760616c52c0f', NULL, '{}', 'ab4c0a31-74d2-5795-bd7f-3019ecb5129a', '2026-11-26 03:16:02.624+00'),
	('01a215da-5d51-7cea-a944-d9e0a9bf10fa', 'decision_needed', '01a215da-5a56-79fc-a330-5c37d45e9a31', '01a215da-5a56-7c27-8313-5a04f8b1945f', 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', 'IDENTITY', '', '2026-11-26 03:16:02.001+00', '', '01a215da-55f2-7fe0-a07b-760616c52c0f', NULL, '{}', 'c3370eff-8cfc-57a1-910b-c0acd9b9b0e4', '2026-11-26 03:16:02.624+00'),
	('01a215da-5d95-738f-9639-7d9c6806bb39', 'request_made', '01a215da-5d93-7eb9-a98d-cb12a9d5e09f', '00000000-0000-0000-0000-000000000000', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', 'IDENTITY', '', '2026-11-26 03:16:02.069+00', '', '01a215da-5d79-721d-b8bd-6fc615b285ea', NULL, '{}', 'dce7d6e9-552d-5a9c-b86b-2805c1e04ae5', '2026-11-26 03:16:02.624+00'),
	('01a215da-5f5d-75f2-b0b2-decd42ecc231', 'decision_needed', '01a215da-5d93-7eb9-a98d-cb12a9d5e09f', '01a215da-5d93-791a-a122-841470ef68fa', 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', 'IDENTITY', '', '2026-11-26 03:16:02.525+00', '', '01a215da-5d79-721d-b8bd-6fc615b285ea', NULL, '{}', 'af2ef344-d1e4-5d6e-9644-998a2dde6a5e', '2026-11-26 03:16:02.624+00'),
	('01a215da-5fbf-7f0a-b64e-c485db8c661a', 'request_made', '01a215da-5fba-7326-babc-5c0e8d36ab0b', '00000000-0000-0000-0000-000000000000', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', 'IDENTITY', '', '2026-11-26 03:16:02.623+00', '', '01a215da-5d79-721d-b8bd-6fc615b285ea', NULL, '{}', '953e56f6-64c5-56f9-84bd-793b61809080', '2026-11-26 03:16:03.622+00'),
	('01a215da-61a4-7014-a4ba-43d07a3d07d8', 'decision_needed', '01a215da-5fba-7326-babc-5c0e8d36ab0b', '01a215da-5fbc-7bef-ba0f-075813ac03ed', 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', 'IDENTITY', '', '2026-11-26 03:16:03.108+00', '', '01a215da-5d79-721d-b8bd-6fc615b285ea', NULL, '{}', '3d5fc72e-ff5c-5185-9472-14ec5b199ab7', '2026-11-26 03:16:03.622+00'),
	('01a215da-648f-7e62-b3c2-4df7e4a86615', 'reminder', '01a215da-5fba-7326-babc-5c0e8d36ab0b', '01a215da-5fbc-7bef-ba0f-075813ac03ed', 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', 'IDENTITY', '', '2026-11-26 03:16:03.855+00', '0/1', '01a215da-5d79-721d-b8bd-6fc615b285ea', NULL, '{"number": 1}', '1421df72-0b3f-5cc7-b06c-82ff75ed037c', '2026-11-26 03:16:04.622+00'),
	('01a215da-64c5-72e5-ab43-55990140521d', 'request_made', '01a215da-64bd-796d-a63e-fbbd9f3e750d', '00000000-0000-0000-0000-000000000000', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', 'IDENTITY', '', '2026-11-26 03:16:03.909+00', '', '01a215da-64a2-792c-823e-2fd8cbb073d0', NULL, '{}', '161df92a-a575-5ec2-8024-659838e75bd5', '2026-11-26 03:16:04.622+00'),
	('01a215da-67f1-7bef-ad28-2786b02cb81c', 'decision_needed', '01a215da-64bd-796d-a63e-fbbd9f3e750d', '01a215da-64c1-7444-8332-c5ecfde10f7b', 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', 'IDENTITY', '', '2026-11-26 03:16:04.721+00', '', '01a215da-64a2-792c-823e-2fd8cbb073d0', NULL, '{}', '0ff9ccb6-5796-5150-8672-889921a4b9ae', '2026-11-26 03:16:05.635+00'),
	('01a215da-681c-784b-b535-f1fc55382422', 'request_made', '01a215da-6819-7e90-9367-77abfa840f8b', '00000000-0000-0000-0000-000000000000', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', 'IDENTITY', '', '2026-11-26 03:16:04.764+00', '', '01a215da-680e-7aca-9978-f77a9b1ffc25', NULL, '{}', '120ae62d-0b2f-5499-94fb-569464052bef', '2026-11-26 03:16:05.635+00'),
	('01a215da-6a38-737d-b99e-772b889b0b8c', 'decision_needed', '01a215da-6819-7e90-9367-77abfa840f8b', '01a215da-681a-784b-a236-9ee8c5d0f71e', 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', 'IDENTITY', '', '2026-11-26 03:16:05.304+00', '', '01a215da-680e-7aca-9978-f77a9b1ffc25', NULL, '{}', 'c0f50be6-386e-5414-bd9f-253f1e7d2a5c', '2026-11-26 03:16:05.635+00'),
	('01a215da-70a0-7164-b39b-e46a9e58be06', 'delegated', '01a215da-5a56-79fc-a330-5c37d45e9a31', '01a215da-5a56-7c27-8313-5a04f8b1945f', 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', 'IDENTITY', 'delegation', '2026-11-26 03:16:06.944+00', '1', '01a215da-55f2-7fe0-a07b-760616c52c0f', NULL, '{}', '9146a624-e862-559a-b1d8-4f9cfdb12600', '2026-11-26 03:16:07.622+00'),
	('01a215da-70a0-7f56-a0bf-7333e3a98b74', 'delegated', '01a215da-5a56-79fc-a330-5c37d45e9a31', '01a215da-5a56-7c27-8313-5a04f8b1945f', 'f9488600-57d5-583d-97f2-145bdd6748fd', 'IDENTITY', 'delegation', '2026-11-26 03:16:06.944+00', '1', '01a215da-55f2-7fe0-a07b-760616c52c0f', NULL, '{}', '9146a624-e862-559a-b1d8-4f9cfdb12600', '2026-11-26 03:16:07.622+00'),
	('01a215da-70a5-70c1-a6f9-b2cbd3f99649', 'delegated', '01a215da-6819-7e90-9367-77abfa840f8b', '01a215da-681a-784b-a236-9ee8c5d0f71e', 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', 'IDENTITY', 'delegation', '2026-11-26 03:16:06.949+00', '1', '01a215da-680e-7aca-9978-f77a9b1ffc25', NULL, '{}', '7f470356-2077-54a0-9676-0c3aeb7e7e2d', '2026-11-26 03:16:07.622+00'),
	('01a215da-70a5-7c46-a169-93ed915d8645', 'delegated', '01a215da-6819-7e90-9367-77abfa840f8b', '01a215da-681a-784b-a236-9ee8c5d0f71e', 'f9488600-57d5-583d-97f2-145bdd6748fd', 'IDENTITY', 'delegation', '2026-11-26 03:16:06.949+00', '1', '01a215da-680e-7aca-9978-f77a9b1ffc25', NULL, '{}', '7f470356-2077-54a0-9676-0c3aeb7e7e2d', '2026-11-26 03:16:07.622+00'),
	('01a215da-72f7-7d97-9fef-cbeb1d87b770', 'request_made', '01a215da-72ee-77d9-872e-3b65833e7acf', '00000000-0000-0000-0000-000000000000', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', 'IDENTITY', '', '2026-11-26 03:16:07.543+00', '', '01a215da-55f2-7fe0-a07b-760616c52c0f', NULL, '{}', 'f953165e-1b73-54d3-bb3c-498be3e1ce3f', '2026-11-26 03:16:07.622+00'),
	('01a215da-76f5-7402-9ab1-dddd87ead23b', 'decision_needed', '01a215da-72ee-77d9-872e-3b65833e7acf', '01a215da-72f0-7616-8f99-d688557da55e', 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', 'IDENTITY', '', '2026-11-26 03:16:08.565+00', '', '01a215da-55f2-7fe0-a07b-760616c52c0f', NULL, '{}', '5c149170-b290-5b98-a8a3-6af93ce594bb', '2026-11-26 03:16:08.623+00'),
	('01a215da-9090-7fd1-a7ef-883690ccb898', 'request_made', '01a215da-908e-7370-8d22-94d9d707deed', '00000000-0000-0000-0000-000000000000', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', 'IDENTITY', '', '2026-11-26 03:16:15.12+00', '', '01a215da-9087-7d22-82ee-fa8c309d1508', NULL, '{}', 'bb2669ae-6a6c-5c8e-b07b-6a748382531b', '2026-11-26 03:16:15.622+00'),
	('01a215da-912e-7eb0-827c-29b1594a30c9', 'decision_needed', '01a215da-908e-7370-8d22-94d9d707deed', '01a215da-908e-7f69-aa71-e323aa954cc1', '2b2c8bad-f827-542b-89fc-9159b91c2f1f', 'IDENTITY', '', '2026-11-26 03:16:15.278+00', '', '01a215da-9087-7d22-82ee-fa8c309d1508', NULL, '{}', 'e175a489-cbb2-5feb-be9c-40167b8ee8bc', '2026-11-26 03:16:15.622+00');


--
-- Data for Name: organisation; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.organisation VALUES
	(true, 7);


--
-- Data for Name: rate_windows; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: records; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.records VALUES
	('01a215da-72da-7779-a091-27b44a649d77', '01a215da-55f2-7fe0-a07b-760616c52c0f', 'acc.pii7.11', 'acc.pii7.11', 'First-pii7', 'first-pii7', 'Last-pii7', 'last-pii7', '+1 512 pii7', 'acc.pii7.11@example.com', 'acc.pii7.11@example.com', 'c157d8b0-cceb-5515-b6dc-8b40bd9df1ba', '2027-01-01 00:00:00+00', '2027-12-31 00:00:00+00', '{}', '2026-11-26 03:16:07.514+00', '2026-11-26 03:16:07.514+00', 'PLANNED', '2026-11-26 03:16:07.519+00', 366, NULL, ''),
	('01a215da-8f3a-7b83-b520-0bb3122aab3f', '01a215da-8f23-75f8-9b74-f7422e3fa840', 'acc.pii7.15', 'acc.pii7.15', 'First-pii7', 'first-pii7', 'Last-pii7', 'last-pii7', '+1 512 pii7', 'acc.pii7.15@example.com', 'acc.pii7.15@example.com', 'c157d8b0-cceb-5515-b6dc-8b40bd9df1ba', '2027-01-01 00:00:00+00', '2027-12-31 00:00:00+00', '{}', '2026-11-26 03:16:14.778+00', '2026-11-26 03:16:14.778+00', 'PLANNED', '2026-11-26 03:16:14.779+00', 366, NULL, '');


--
-- Data for Name: requests; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.requests VALUES
	('01a215da-561b-7651-8809-d0e479980147', '01a215da-55f2-7fe0-a07b-760616c52c0f', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', 'acc.pii7.2', 'acc.pii7.2', 'First-pii7', 'first-pii7', 'Last-pii7', 'last-pii7', '+1 512 pii7', 'acc.pii7.2@example.com', 'acc.pii7.2@example.com', 'c157d8b0-cceb-5515-b6dc-8b40bd9df1ba', '2027-01-01 00:00:00+00', '2027-12-31 00:00:00+00', '{}', 'PENDING', NULL, '2026-11-26 03:16:00.155+00', '2026-11-26 03:16:00.155+00', '', '2026-11-26 03:16:01.205+00', '2026-11-26 03:16:12.514+00', '6d1b9b0e-52f4-4c0e-9a33-0f6c7b1f7a01', 'CREATION', '2026-11-26 03:16:00.155+00'),
	('01a215da-6819-7e90-9367-77abfa840f8b', '01a215da-680e-7aca-9978-f77a9b1ffc25', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', 'acc.pii7.10', 'acc.pii7.10', 'First-pii7', 'first-pii7', 'Last-pii7', 'last-pii7', '+1 512 pii7', 'acc.pii7.10@example.com', 'acc.pii7.10@example.com', 'c157d8b0-cceb-5515-b6dc-8b40bd9df1ba', '2027-01-01 00:00:00+00', '2027-12-31 00:00:00+00', '{}', 'PENDING', NULL, '2026-11-26 03:16:04.761+00', '2026-11-26 03:16:06.946+00', '', '2026-11-26 03:16:07.475+00', '2026-11-26 03:16:12.514+00', '6d1b9b0e-52f4-4c0e-9a33-0f6c7b1f7a01', 'CREATION', '2026-11-26 03:16:04.761+00'),
	('01a215da-5a56-79fc-a330-5c37d45e9a31', '01a215da-55f2-7fe0-a07b-760616c52c0f', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', 'acc.pii7.3', 'acc.pii7.3', 'First-pii7', 'first-pii7', 'Last-pii7', 'last-pii7', '+1 512 pii7', 'acc.pii7.3@example.com', 'acc.pii7.3@example.com', 'c157d8b0-cceb-5515-b6dc-8b40bd9df1ba', '2027-01-01 00:00:00+00', '2027-12-31 00:00:00+00', '{}', 'PENDING', NULL, '2026-11-26 03:16:01.237+00', '2026-11-26 03:16:06.94+00', '', '2026-11-26 03:16:07.609+00', '2026-11-26 03:16:12.514+00', '6d1b9b0e-52f4-4c0e-9a33-0f6c7b1f7a01', 'CREATION', '2026-11-26 03:16:01.667+00'),
	('01a215da-72ee-77d9-872e-3b65833e7acf', '01a215da-55f2-7fe0-a07b-760616c52c0f', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', '', '', '', '', '', '', '', '', '', NULL, NULL, NULL, '{}', 'PENDING', NULL, '2026-11-26 03:16:07.534+00', '2026-11-26 03:16:07.534+00', '', '2026-11-26 03:16:08.565+00', '2026-11-26 03:16:14.576+00', '6d1b9b0e-52f4-4c0e-9a33-0f6c7b1f7a01', 'EXTENSION', '2026-11-26 03:16:07.534+00'),
	('01a215da-5d93-7eb9-a98d-cb12a9d5e09f', '01a215da-5d79-721d-b8bd-6fc615b285ea', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', 'acc.pii7.5', 'acc.pii7.5', 'First-pii7', 'first-pii7', 'Last-pii7', 'last-pii7', '+1 512 pii7', 'acc.pii7.5@example.com', 'acc.pii7.5@example.com', 'c157d8b0-cceb-5515-b6dc-8b40bd9df1ba', '2027-01-01 00:00:00+00', '2027-12-31 00:00:00+00', '{}', 'PENDING', NULL, '2026-11-26 03:16:02.067+00', '2026-11-26 03:16:02.067+00', '', '2026-11-26 03:16:02.525+00', '2026-11-26 03:16:14.576+00', '01a215da-5d8c-7bd1-ae83-ca1b0eb27987', 'CREATION', '2026-11-26 03:16:02.067+00'),
	('01a215da-5fba-7326-babc-5c0e8d36ab0b', '01a215da-5d79-721d-b8bd-6fc615b285ea', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', 'acc.pii7.6', 'acc.pii7.6', 'First-pii7', 'first-pii7', 'Last-pii7', 'last-pii7', '+1 512 pii7', 'acc.pii7.6@example.com', 'acc.pii7.6@example.com', 'c157d8b0-cceb-5515-b6dc-8b40bd9df1ba', '2027-01-01 00:00:00+00', '2027-12-31 00:00:00+00', '{}', 'PENDING', NULL, '2026-11-26 03:16:02.618+00', '2026-11-26 03:16:02.618+00', '', '2026-11-26 03:16:03.108+00', '2026-11-26 03:16:14.576+00', '01a215da-5d8c-7bd1-ae83-ca1b0eb27987', 'CREATION', '2026-11-26 03:16:02.618+00'),
	('01a215da-908e-7370-8d22-94d9d707deed', '01a215da-9087-7d22-82ee-fa8c309d1508', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', 'acc.pii7.17', 'acc.pii7.17', 'First-pii7', 'first-pii7', 'Last-pii7', 'last-pii7', '+1 512 pii7', 'acc.pii7.17@example.com', 'acc.pii7.17@example.com', 'c157d8b0-cceb-5515-b6dc-8b40bd9df1ba', '2027-01-01 00:00:00+00', '2027-12-31 00:00:00+00', '{}', 'PENDING', NULL, '2026-11-26 03:16:15.118+00', '2026-11-26 03:16:15.118+00', '', '2026-11-26 03:16:15.278+00', '1970-01-01 00:00:00+00', '6d1b9b0e-52f4-4c0e-9a33-0f6c7b1f7a01', 'CREATION', '2026-11-26 03:16:15.118+00'),
	('01a215da-64bd-796d-a63e-fbbd9f3e750d', '01a215da-64a2-792c-823e-2fd8cbb073d0', '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', 'acc.pii7.8', 'acc.pii7.8', 'First-pii7', 'first-pii7', 'Last-pii7', 'last-pii7', '+1 512 pii7', 'acc.pii7.8@example.com', 'acc.pii7.8@example.com', 'c157d8b0-cceb-5515-b6dc-8b40bd9df1ba', '2027-01-01 00:00:00+00', '2027-12-31 00:00:00+00', '{}', 'PENDING', NULL, '2026-11-26 03:16:03.901+00', '2026-11-26 03:16:03.901+00', '', '2026-11-26 03:16:04.721+00', '2026-11-26 03:16:16.673+00', '01a215da-64ad-7278-8f01-b8c3bac6e6c4', 'CREATION', '2026-11-26 03:16:03.901+00');


--
-- Data for Name: schedule_endings; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: schema_attributes; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.schema_attributes VALUES
	('01a215da-55f2-7681-92cf-2ad7d779a46c', '01a215da-55f2-7fe0-a07b-760616c52c0f', 'TEXT', 'accountName', 'accountname', 'Account Name', '', '', true, true, 0, '2026-11-26 03:16:00.114+00', '2026-11-26 03:16:00.114+00'),
	('01a215da-55f2-7664-a01b-c80c40a2a6e2', '01a215da-55f2-7fe0-a07b-760616c52c0f', 'TEXT', 'firstName', 'firstname', 'First Name', '', '', true, true, 1, '2026-11-26 03:16:00.114+00', '2026-11-26 03:16:00.114+00'),
	('01a215da-55f2-759c-a58d-87e0aab2f009', '01a215da-55f2-7fe0-a07b-760616c52c0f', 'TEXT', 'lastName', 'lastname', 'Last Name', '', '', true, true, 2, '2026-11-26 03:16:00.114+00', '2026-11-26 03:16:00.114+00'),
	('01a215da-55f2-771f-8b24-b14ee207dcf6', '01a215da-55f2-7fe0-a07b-760616c52c0f', 'TEXT', 'phone', 'phone', 'Phone', '', '', true, true, 3, '2026-11-26 03:16:00.114+00', '2026-11-26 03:16:00.114+00'),
	('01a215da-55f2-7620-874b-e56770925116', '01a215da-55f2-7fe0-a07b-760616c52c0f', 'TEXT', 'email', 'email', 'Email', '', '', true, true, 4, '2026-11-26 03:16:00.114+00', '2026-11-26 03:16:00.114+00'),
	('01a215da-55f2-7aa9-9f1b-27415e3f14fd', '01a215da-55f2-7fe0-a07b-760616c52c0f', 'IDENTITY', 'manager', 'manager', 'Manager', '', '', true, true, 5, '2026-11-26 03:16:00.114+00', '2026-11-26 03:16:00.114+00'),
	('01a215da-55f2-79c0-a4f6-35410f2431aa', '01a215da-55f2-7fe0-a07b-760616c52c0f', 'DATE', 'startDate', 'startdate', 'Start Date', '', '', true, true, 6, '2026-11-26 03:16:00.114+00', '2026-11-26 03:16:00.114+00'),
	('01a215da-55f2-7c37-ac0b-b34818205b6c', '01a215da-55f2-7fe0-a07b-760616c52c0f', 'DATE', 'endDate', 'enddate', 'End Date', '', '', true, true, 7, '2026-11-26 03:16:00.114+00', '2026-11-26 03:16:00.114+00'),
	('01a215da-5d79-7a6c-ba41-452ff7d5ea0f', '01a215da-5d79-721d-b8bd-6fc615b285ea', 'TEXT', 'accountName', 'accountname', 'Account Name', '', '', true, true, 0, '2026-11-26 03:16:02.041+00', '2026-11-26 03:16:02.041+00'),
	('01a215da-5d79-7ff7-9af3-0b90e12d3fae', '01a215da-5d79-721d-b8bd-6fc615b285ea', 'TEXT', 'firstName', 'firstname', 'First Name', '', '', true, true, 1, '2026-11-26 03:16:02.041+00', '2026-11-26 03:16:02.041+00'),
	('01a215da-5d79-74ef-911e-03cb06517b09', '01a215da-5d79-721d-b8bd-6fc615b285ea', 'TEXT', 'lastName', 'lastname', 'Last Name', '', '', true, true, 2, '2026-11-26 03:16:02.041+00', '2026-11-26 03:16:02.041+00'),
	('01a215da-5d79-7ea0-80f5-e15635d29095', '01a215da-5d79-721d-b8bd-6fc615b285ea', 'TEXT', 'phone', 'phone', 'Phone', '', '', true, true, 3, '2026-11-26 03:16:02.041+00', '2026-11-26 03:16:02.041+00'),
	('01a215da-5d79-7ceb-9b24-c60f3296fef7', '01a215da-5d79-721d-b8bd-6fc615b285ea', 'TEXT', 'email', 'email', 'Email', '', '', true, true, 4, '2026-11-26 03:16:02.041+00', '2026-11-26 03:16:02.041+00'),
	('01a215da-5d79-7421-b584-05c33183be7e', '01a215da-5d79-721d-b8bd-6fc615b285ea', 'IDENTITY', 'manager', 'manager', 'Manager', '', '', true, true, 5, '2026-11-26 03:16:02.041+00', '2026-11-26 03:16:02.041+00'),
	('01a215da-5d79-7485-bd8b-6abb5412872e', '01a215da-5d79-721d-b8bd-6fc615b285ea', 'DATE', 'startDate', 'startdate', 'Start Date', '', '', true, true, 6, '2026-11-26 03:16:02.041+00', '2026-11-26 03:16:02.041+00'),
	('01a215da-5d79-714c-9363-048fb9dbdce1', '01a215da-5d79-721d-b8bd-6fc615b285ea', 'DATE', 'endDate', 'enddate', 'End Date', '', '', true, true, 7, '2026-11-26 03:16:02.041+00', '2026-11-26 03:16:02.041+00'),
	('01a215da-64a2-7575-aabb-fab19b8ec802', '01a215da-64a2-792c-823e-2fd8cbb073d0', 'TEXT', 'accountName', 'accountname', 'Account Name', '', '', true, true, 0, '2026-11-26 03:16:03.874+00', '2026-11-26 03:16:03.874+00'),
	('01a215da-64a2-7673-9cee-d73a2f3ee26c', '01a215da-64a2-792c-823e-2fd8cbb073d0', 'TEXT', 'firstName', 'firstname', 'First Name', '', '', true, true, 1, '2026-11-26 03:16:03.874+00', '2026-11-26 03:16:03.874+00'),
	('01a215da-64a2-73b3-89dc-fc7cda502059', '01a215da-64a2-792c-823e-2fd8cbb073d0', 'TEXT', 'lastName', 'lastname', 'Last Name', '', '', true, true, 2, '2026-11-26 03:16:03.874+00', '2026-11-26 03:16:03.874+00'),
	('01a215da-64a2-750e-8113-e708136d9f12', '01a215da-64a2-792c-823e-2fd8cbb073d0', 'TEXT', 'phone', 'phone', 'Phone', '', '', true, true, 3, '2026-11-26 03:16:03.874+00', '2026-11-26 03:16:03.874+00'),
	('01a215da-64a2-7f94-a4b0-01e5df6fd070', '01a215da-64a2-792c-823e-2fd8cbb073d0', 'TEXT', 'email', 'email', 'Email', '', '', true, true, 4, '2026-11-26 03:16:03.874+00', '2026-11-26 03:16:03.874+00'),
	('01a215da-64a2-71ef-b2fe-288ab25f353e', '01a215da-64a2-792c-823e-2fd8cbb073d0', 'IDENTITY', 'manager', 'manager', 'Manager', '', '', true, true, 5, '2026-11-26 03:16:03.874+00', '2026-11-26 03:16:03.874+00'),
	('01a215da-64a2-7928-aa9a-69c23a93569d', '01a215da-64a2-792c-823e-2fd8cbb073d0', 'DATE', 'startDate', 'startdate', 'Start Date', '', '', true, true, 6, '2026-11-26 03:16:03.874+00', '2026-11-26 03:16:03.874+00'),
	('01a215da-64a2-78b1-8289-6b26f009603a', '01a215da-64a2-792c-823e-2fd8cbb073d0', 'DATE', 'endDate', 'enddate', 'End Date', '', '', true, true, 7, '2026-11-26 03:16:03.874+00', '2026-11-26 03:16:03.874+00'),
	('01a215da-680e-71d1-a6ac-a8fdc4d034d1', '01a215da-680e-7aca-9978-f77a9b1ffc25', 'TEXT', 'accountName', 'accountname', 'Account Name', '', '', true, true, 0, '2026-11-26 03:16:04.75+00', '2026-11-26 03:16:04.75+00'),
	('01a215da-680e-7eac-a4ae-4ece8c55dd22', '01a215da-680e-7aca-9978-f77a9b1ffc25', 'TEXT', 'firstName', 'firstname', 'First Name', '', '', true, true, 1, '2026-11-26 03:16:04.75+00', '2026-11-26 03:16:04.75+00'),
	('01a215da-680e-74d2-82f5-ef922f32b00c', '01a215da-680e-7aca-9978-f77a9b1ffc25', 'TEXT', 'lastName', 'lastname', 'Last Name', '', '', true, true, 2, '2026-11-26 03:16:04.75+00', '2026-11-26 03:16:04.75+00'),
	('01a215da-680e-71f2-b636-6bfce618ebbf', '01a215da-680e-7aca-9978-f77a9b1ffc25', 'TEXT', 'phone', 'phone', 'Phone', '', '', true, true, 3, '2026-11-26 03:16:04.75+00', '2026-11-26 03:16:04.75+00'),
	('01a215da-680e-7afd-9b4e-bcdc827f1c95', '01a215da-680e-7aca-9978-f77a9b1ffc25', 'TEXT', 'email', 'email', 'Email', '', '', true, true, 4, '2026-11-26 03:16:04.75+00', '2026-11-26 03:16:04.75+00'),
	('01a215da-680e-7b57-a51c-4c3c68e39d35', '01a215da-680e-7aca-9978-f77a9b1ffc25', 'IDENTITY', 'manager', 'manager', 'Manager', '', '', true, true, 5, '2026-11-26 03:16:04.75+00', '2026-11-26 03:16:04.75+00'),
	('01a215da-680e-7b2c-880a-2083afd0bd03', '01a215da-680e-7aca-9978-f77a9b1ffc25', 'DATE', 'startDate', 'startdate', 'Start Date', '', '', true, true, 6, '2026-11-26 03:16:04.75+00', '2026-11-26 03:16:04.75+00'),
	('01a215da-680e-75e6-b53a-9ca0ee715e31', '01a215da-680e-7aca-9978-f77a9b1ffc25', 'DATE', 'endDate', 'enddate', 'End Date', '', '', true, true, 7, '2026-11-26 03:16:04.75+00', '2026-11-26 03:16:04.75+00'),
	('01a215da-7713-71ca-9e79-7a4d9214714a', '01a215da-7713-760e-9fa9-c39baa6e00d4', 'TEXT', 'accountName', 'accountname', 'Account Name', '', '', true, true, 0, '2026-11-26 03:16:08.595+00', '2026-11-26 03:16:08.595+00'),
	('01a215da-7713-7661-a248-ea2b44e16662', '01a215da-7713-760e-9fa9-c39baa6e00d4', 'TEXT', 'firstName', 'firstname', 'First Name', '', '', true, true, 1, '2026-11-26 03:16:08.595+00', '2026-11-26 03:16:08.595+00'),
	('01a215da-7713-7a73-818f-a0db5547a983', '01a215da-7713-760e-9fa9-c39baa6e00d4', 'TEXT', 'lastName', 'lastname', 'Last Name', '', '', true, true, 2, '2026-11-26 03:16:08.595+00', '2026-11-26 03:16:08.595+00'),
	('01a215da-7713-7583-ad28-def664690d11', '01a215da-7713-760e-9fa9-c39baa6e00d4', 'TEXT', 'phone', 'phone', 'Phone', '', '', true, true, 3, '2026-11-26 03:16:08.595+00', '2026-11-26 03:16:08.595+00'),
	('01a215da-7713-7245-8dcf-52e0dccf8015', '01a215da-7713-760e-9fa9-c39baa6e00d4', 'TEXT', 'email', 'email', 'Email', '', '', true, true, 4, '2026-11-26 03:16:08.595+00', '2026-11-26 03:16:08.595+00'),
	('01a215da-7713-7b04-8ade-297890085a5b', '01a215da-7713-760e-9fa9-c39baa6e00d4', 'IDENTITY', 'manager', 'manager', 'Manager', '', '', true, true, 5, '2026-11-26 03:16:08.595+00', '2026-11-26 03:16:08.595+00'),
	('01a215da-7713-7b2c-9339-e7af8a5abecd', '01a215da-7713-760e-9fa9-c39baa6e00d4', 'DATE', 'startDate', 'startdate', 'Start Date', '', '', true, true, 6, '2026-11-26 03:16:08.595+00', '2026-11-26 03:16:08.595+00'),
	('01a215da-7713-750a-920e-6ca5ac35dcf9', '01a215da-7713-760e-9fa9-c39baa6e00d4', 'DATE', 'endDate', 'enddate', 'End Date', '', '', true, true, 7, '2026-11-26 03:16:08.595+00', '2026-11-26 03:16:08.595+00'),
	('01a215da-8f23-75bf-9f67-6b7021a779ab', '01a215da-8f23-75f8-9b74-f7422e3fa840', 'TEXT', 'accountName', 'accountname', 'Account Name', '', '', true, true, 0, '2026-11-26 03:16:14.755+00', '2026-11-26 03:16:14.755+00'),
	('01a215da-8f23-706a-8e8c-84037503abf9', '01a215da-8f23-75f8-9b74-f7422e3fa840', 'TEXT', 'firstName', 'firstname', 'First Name', '', '', true, true, 1, '2026-11-26 03:16:14.755+00', '2026-11-26 03:16:14.755+00'),
	('01a215da-8f23-764a-8723-ef7be24426f1', '01a215da-8f23-75f8-9b74-f7422e3fa840', 'TEXT', 'lastName', 'lastname', 'Last Name', '', '', true, true, 2, '2026-11-26 03:16:14.755+00', '2026-11-26 03:16:14.755+00'),
	('01a215da-8f23-722b-9a98-c0bbe9773999', '01a215da-8f23-75f8-9b74-f7422e3fa840', 'TEXT', 'phone', 'phone', 'Phone', '', '', true, true, 3, '2026-11-26 03:16:14.755+00', '2026-11-26 03:16:14.755+00'),
	('01a215da-8f23-755c-9d40-d93c9b0b9fb5', '01a215da-8f23-75f8-9b74-f7422e3fa840', 'TEXT', 'email', 'email', 'Email', '', '', true, true, 4, '2026-11-26 03:16:14.755+00', '2026-11-26 03:16:14.755+00'),
	('01a215da-8f23-7ebd-bbfa-a3210ca0b91e', '01a215da-8f23-75f8-9b74-f7422e3fa840', 'IDENTITY', 'manager', 'manager', 'Manager', '', '', true, true, 5, '2026-11-26 03:16:14.755+00', '2026-11-26 03:16:14.755+00'),
	('01a215da-8f23-762c-9472-600c7874d2f0', '01a215da-8f23-75f8-9b74-f7422e3fa840', 'DATE', 'startDate', 'startdate', 'Start Date', '', '', true, true, 6, '2026-11-26 03:16:14.755+00', '2026-11-26 03:16:14.755+00'),
	('01a215da-8f23-73c2-ac78-8c855831b745', '01a215da-8f23-75f8-9b74-f7422e3fa840', 'DATE', 'endDate', 'enddate', 'End Date', '', '', true, true, 7, '2026-11-26 03:16:14.755+00', '2026-11-26 03:16:14.755+00'),
	('01a215da-9087-7cc7-aaf2-cff37b79cf4f', '01a215da-9087-7d22-82ee-fa8c309d1508', 'TEXT', 'accountName', 'accountname', 'Account Name', '', '', true, true, 0, '2026-11-26 03:16:15.111+00', '2026-11-26 03:16:15.111+00'),
	('01a215da-9087-7d2d-b1d9-80bdf333b89e', '01a215da-9087-7d22-82ee-fa8c309d1508', 'TEXT', 'firstName', 'firstname', 'First Name', '', '', true, true, 1, '2026-11-26 03:16:15.111+00', '2026-11-26 03:16:15.111+00'),
	('01a215da-9087-78f2-bfd8-fdf546f81173', '01a215da-9087-7d22-82ee-fa8c309d1508', 'TEXT', 'lastName', 'lastname', 'Last Name', '', '', true, true, 2, '2026-11-26 03:16:15.111+00', '2026-11-26 03:16:15.111+00'),
	('01a215da-9087-73c8-9719-8a4391a84e2f', '01a215da-9087-7d22-82ee-fa8c309d1508', 'TEXT', 'phone', 'phone', 'Phone', '', '', true, true, 3, '2026-11-26 03:16:15.111+00', '2026-11-26 03:16:15.111+00'),
	('01a215da-9087-76ae-8122-1becbd934cf9', '01a215da-9087-7d22-82ee-fa8c309d1508', 'TEXT', 'email', 'email', 'Email', '', '', true, true, 4, '2026-11-26 03:16:15.111+00', '2026-11-26 03:16:15.111+00'),
	('01a215da-9087-7da1-a054-c775c677da39', '01a215da-9087-7d22-82ee-fa8c309d1508', 'IDENTITY', 'manager', 'manager', 'Manager', '', '', true, true, 5, '2026-11-26 03:16:15.111+00', '2026-11-26 03:16:15.111+00'),
	('01a215da-9087-7db4-b5ec-e2822e6653f9', '01a215da-9087-7d22-82ee-fa8c309d1508', 'DATE', 'startDate', 'startdate', 'Start Date', '', '', true, true, 6, '2026-11-26 03:16:15.111+00', '2026-11-26 03:16:15.111+00'),
	('01a215da-9087-7482-89e6-9e89a1af0df0', '01a215da-9087-7d22-82ee-fa8c309d1508', 'DATE', 'endDate', 'enddate', 'End Date', '', '', true, true, 7, '2026-11-26 03:16:15.111+00', '2026-11-26 03:16:15.111+00');


--
-- Data for Name: source_account_managers; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.source_account_managers VALUES
	('01a215da-55f2-7fe0-a07b-760616c52c0f', 0, '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', 'IDENTITY'),
	('01a215da-5d79-721d-b8bd-6fc615b285ea', 0, '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', 'IDENTITY'),
	('01a215da-64a2-792c-823e-2fd8cbb073d0', 0, '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', 'IDENTITY'),
	('01a215da-680e-7aca-9978-f77a9b1ffc25', 0, '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', 'IDENTITY'),
	('01a215da-7713-760e-9fa9-c39baa6e00d4', 0, '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', 'IDENTITY'),
	('01a215da-8f23-75f8-9b74-f7422e3fa840', 0, '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', 'IDENTITY'),
	('01a215da-9087-7d22-82ee-fa8c309d1508', 0, '5aa3516a-ab53-5bfc-a6eb-d0af1a3e4614', 'IDENTITY');


--
-- Data for Name: source_approvers; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.source_approvers VALUES
	('01a215da-55f2-7fe0-a07b-760616c52c0f', 0, 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', 'IDENTITY'),
	('01a215da-55f2-7fe0-a07b-760616c52c0f', 1, 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', 'IDENTITY'),
	('01a215da-55f2-7fe0-a07b-760616c52c0f', 2, '2b2c8bad-f827-542b-89fc-9159b91c2f1f', 'IDENTITY'),
	('01a215da-5d79-721d-b8bd-6fc615b285ea', 0, 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', 'IDENTITY'),
	('01a215da-5d79-721d-b8bd-6fc615b285ea', 1, 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', 'IDENTITY'),
	('01a215da-64a2-792c-823e-2fd8cbb073d0', 0, 'c2f40b2e-2b6e-55e7-8945-a0065fb794ab', 'IDENTITY'),
	('01a215da-680e-7aca-9978-f77a9b1ffc25', 0, 'a3d738ef-c3a5-53a5-8ee9-613c2fb0d143', 'IDENTITY'),
	('01a215da-9087-7d22-82ee-fa8c309d1508', 0, '2b2c8bad-f827-542b-89fc-9159b91c2f1f', 'IDENTITY');


--
-- Data for Name: source_counters; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.source_counters VALUES
	('01a215da-5d79-721d-b8bd-6fc615b285ea', 0, 2, 0, 0, 0, 4, 0),
	('01a215da-64a2-792c-823e-2fd8cbb073d0', 0, 1, 0, 0, 0, 1, 0),
	('01a215da-680e-7aca-9978-f77a9b1ffc25', 0, 1, 0, 0, 0, 1, 0),
	('01a215da-55f2-7fe0-a07b-760616c52c0f', 1, 2, 0, 0, 0, 6, 0),
	('01a215da-7713-760e-9fa9-c39baa6e00d4', 0, 0, 0, 0, 0, 0, 2),
	('01a215da-8f23-75f8-9b74-f7422e3fa840', 1, 0, 0, 0, 0, 0, 0),
	('01a215da-9087-7d22-82ee-fa8c309d1508', 0, 1, 0, 0, 0, 1, 0);


--
-- Data for Name: sources; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.sources VALUES
	('01a215da-55f2-7fe0-a07b-760616c52c0f', 'Source.pii7.1', 'source.pii7.1', 'For a test', '515fab36-53cb-51c5-b6b0-6872671081a0', NULL, '2026-11-26 03:16:00.114+00', '2026-11-26 03:16:00.114+00'),
	('01a215da-5d79-721d-b8bd-6fc615b285ea', 'Source.pii7.4', 'source.pii7.4', 'For a test', '515fab36-53cb-51c5-b6b0-6872671081a0', NULL, '2026-11-26 03:16:02.041+00', '2026-11-26 03:16:02.041+00'),
	('01a215da-64a2-792c-823e-2fd8cbb073d0', 'Source.pii7.7', 'source.pii7.7', 'For a test', '515fab36-53cb-51c5-b6b0-6872671081a0', NULL, '2026-11-26 03:16:03.874+00', '2026-11-26 03:16:03.874+00'),
	('01a215da-680e-7aca-9978-f77a9b1ffc25', 'Source.pii7.9', 'source.pii7.9', 'For a test', '515fab36-53cb-51c5-b6b0-6872671081a0', NULL, '2026-11-26 03:16:04.75+00', '2026-11-26 03:16:04.75+00'),
	('01a215da-7713-760e-9fa9-c39baa6e00d4', 'Source.pii7.12', 'source.pii7.12', 'For a test', '515fab36-53cb-51c5-b6b0-6872671081a0', NULL, '2026-11-26 03:16:08.595+00', '2026-11-26 03:16:08.595+00'),
	('01a215da-8f23-75f8-9b74-f7422e3fa840', 'Source.pii7.14', 'source.pii7.14', 'For a test', '515fab36-53cb-51c5-b6b0-6872671081a0', NULL, '2026-11-26 03:16:14.755+00', '2026-11-26 03:16:14.755+00'),
	('01a215da-9087-7d22-82ee-fa8c309d1508', 'Source.pii7.16', 'source.pii7.16', 'For a test', '515fab36-53cb-51c5-b6b0-6872671081a0', NULL, '2026-11-26 03:16:15.111+00', '2026-11-26 03:16:15.111+00');


--
-- Data for Name: webhook_endpoints; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.webhook_endpoints VALUES
	('01a215da-9064-70b5-926e-e0b64791b137', 'http://127.0.0.1:9/told', '\x0000000000000000000000000000000000000000000000000000000000000000', '{request_made}', true, '', '2026-11-26 03:16:15.076+00', '2026-11-26 03:16:15.076+00');


--
-- Data for Name: workflow_endings; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: workgroup_members; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.workgroup_members VALUES
	('8f79c642-da6a-5b78-abf3-2016468ad2ab', 'c84b3bb4-affc-5e43-9527-5ee739584bda');


--
-- Data for Name: workgroups; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.workgroups VALUES
	('8f79c642-da6a-5b78-abf3-2016468ad2ab', 'field-ops', 'field-ops', '2026-11-26 03:15:29.907+00', '', '2026-11-26 03:15:29.907+00', 1, NULL);


--
-- Name: audit_numbers; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.audit_numbers', 51, true);


--
-- Name: gatehouse_migrations_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.gatehouse_migrations_id_seq', 14, true);


--
-- Name: absences absences_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.absences
    ADD CONSTRAINT absences_pkey PRIMARY KEY (id);


--
-- Name: account_names account_names_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.account_names
    ADD CONSTRAINT account_names_pkey PRIMARY KEY (source_id, folded);


--
-- Name: approval_items approval_items_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.approval_items
    ADD CONSTRAINT approval_items_pkey PRIMARY KEY (id);


--
-- Name: approval_items approval_items_position_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.approval_items
    ADD CONSTRAINT approval_items_position_key UNIQUE (request_id, "position");


--
-- Name: approval_policies approval_policies_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.approval_policies
    ADD CONSTRAINT approval_policies_pkey PRIMARY KEY (id);


--
-- Name: approval_reassignments approval_reassignments_number_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.approval_reassignments
    ADD CONSTRAINT approval_reassignments_number_key UNIQUE (item_id, number);


--
-- Name: approval_reassignments approval_reassignments_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.approval_reassignments
    ADD CONSTRAINT approval_reassignments_pkey PRIMARY KEY (id);


--
-- Name: audit_details audit_details_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit_details
    ADD CONSTRAINT audit_details_pkey PRIMARY KEY (entry_id);


--
-- Name: audit_entries audit_entries_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit_entries
    ADD CONSTRAINT audit_entries_pkey PRIMARY KEY (id);


--
-- Name: audit_seals audit_seals_entry_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit_seals
    ADD CONSTRAINT audit_seals_entry_key UNIQUE (entry_id);


--
-- Name: audit_seals audit_seals_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit_seals
    ADD CONSTRAINT audit_seals_pkey PRIMARY KEY ("position");


--
-- Name: audit_tail audit_tail_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit_tail
    ADD CONSTRAINT audit_tail_pkey PRIMARY KEY (entry_id);


--
-- Name: bulk_garbage bulk_garbage_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.bulk_garbage
    ADD CONSTRAINT bulk_garbage_pkey PRIMARY KEY (job_id);


--
-- Name: clients clients_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.clients
    ADD CONSTRAINT clients_pkey PRIMARY KEY (id);


--
-- Name: decision_comments decision_comments_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.decision_comments
    ADD CONSTRAINT decision_comments_pkey PRIMARY KEY (decision_id);


--
-- Name: decision_rejections decision_rejections_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.decision_rejections
    ADD CONSTRAINT decision_rejections_pkey PRIMARY KEY (decision_id, record_id);


--
-- Name: deliveries deliveries_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (id);


--
-- Name: erasures erasures_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.erasures
    ADD CONSTRAINT erasures_pkey PRIMARY KEY (id);


--
-- Name: export_chunks export_chunks_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.export_chunks
    ADD CONSTRAINT export_chunks_pkey PRIMARY KEY (job_id, attempt, number);


--
-- Name: export_jobs export_jobs_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.export_jobs
    ADD CONSTRAINT export_jobs_pkey PRIMARY KEY (id);


--
-- Name: export_schedules export_schedules_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.export_schedules
    ADD CONSTRAINT export_schedules_pkey PRIMARY KEY (id);


--
-- Name: extension_records extension_records_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.extension_records
    ADD CONSTRAINT extension_records_pkey PRIMARY KEY (request_id, number);


--
-- Name: extensions extensions_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.extensions
    ADD CONSTRAINT extensions_pkey PRIMARY KEY (request_id);


--
-- Name: gatehouse_migrations gatehouse_migrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.gatehouse_migrations
    ADD CONSTRAINT gatehouse_migrations_pkey PRIMARY KEY (id);


--
-- Name: identities identities_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.identities
    ADD CONSTRAINT identities_pkey PRIMARY KEY (id);


--
-- Name: import_faults import_faults_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.import_faults
    ADD CONSTRAINT import_faults_pkey PRIMARY KEY (job_id, number);


--
-- Name: import_jobs import_jobs_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.import_jobs
    ADD CONSTRAINT import_jobs_pkey PRIMARY KEY (id);


--
-- Name: import_jobs import_jobs_sequence_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.import_jobs
    ADD CONSTRAINT import_jobs_sequence_key UNIQUE (source_id, sequence);


--
-- Name: import_rows import_rows_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.import_rows
    ADD CONSTRAINT import_rows_pkey PRIMARY KEY (job_id, number);


--
-- Name: notification_records notification_records_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notification_records
    ADD CONSTRAINT notification_records_pkey PRIMARY KEY (batch_id, record_id);


--
-- Name: notifications notifications_once; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_once UNIQUE (event, request_id, item_id, recipient_id, key);


--
-- Name: notifications notifications_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (id);


--
-- Name: organisation organisation_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.organisation
    ADD CONSTRAINT organisation_pkey PRIMARY KEY (id);


--
-- Name: rate_windows rate_windows_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.rate_windows
    ADD CONSTRAINT rate_windows_pkey PRIMARY KEY (key);


--
-- Name: records records_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.records
    ADD CONSTRAINT records_pkey PRIMARY KEY (id);


--
-- Name: requests requests_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.requests
    ADD CONSTRAINT requests_pkey PRIMARY KEY (id);


--
-- Name: schedule_endings schedule_endings_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.schedule_endings
    ADD CONSTRAINT schedule_endings_pkey PRIMARY KEY (schedule_id);


--
-- Name: schema_attributes schema_attributes_name_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.schema_attributes
    ADD CONSTRAINT schema_attributes_name_key UNIQUE (source_id, technical_name_folded);


--
-- Name: schema_attributes schema_attributes_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.schema_attributes
    ADD CONSTRAINT schema_attributes_pkey PRIMARY KEY (id);


--
-- Name: schema_attributes schema_attributes_position_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.schema_attributes
    ADD CONSTRAINT schema_attributes_position_key UNIQUE (source_id, "position");


--
-- Name: signing_keys signing_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.signing_keys
    ADD CONSTRAINT signing_keys_pkey PRIMARY KEY (kid);


--
-- Name: source_account_managers source_account_managers_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.source_account_managers
    ADD CONSTRAINT source_account_managers_pkey PRIMARY KEY (source_id, "position");


--
-- Name: source_approvers source_approvers_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.source_approvers
    ADD CONSTRAINT source_approvers_pkey PRIMARY KEY (source_id, "position");


--
-- Name: source_counters source_counters_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.source_counters
    ADD CONSTRAINT source_counters_pkey PRIMARY KEY (source_id);


--
-- Name: sources sources_name_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sources
    ADD CONSTRAINT sources_name_key UNIQUE (name_folded);


--
-- Name: sources sources_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sources
    ADD CONSTRAINT sources_pkey PRIMARY KEY (id);


--
-- Name: webhook_endpoints webhook_endpoints_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhook_endpoints
    ADD CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (id);


--
-- Name: workflow_endings workflow_endings_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.workflow_endings
    ADD CONSTRAINT workflow_endings_pkey PRIMARY KEY (request_id);


--
-- Name: workgroup_members workgroup_members_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.workgroup_members
    ADD CONSTRAINT workgroup_members_pkey PRIMARY KEY (workgroup_id, identity_id);


--
-- Name: workgroups workgroups_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.workgroups
    ADD CONSTRAINT workgroups_pkey PRIMARY KEY (id);


--
-- Name: absences_deputy; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX absences_deputy ON public.absences USING btree (deputy_id, ends);


--
-- Name: absences_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX absences_due ON public.absences USING btree (due) WHERE (due IS NOT NULL);


--
-- Name: absences_identity; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX absences_identity ON public.absences USING btree (identity_id, ends);


--
-- Name: approval_items_approver_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX approval_items_approver_created ON public.approval_items USING btree (approver_id, created, id);


--
-- Name: approval_items_approver_status; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX approval_items_approver_status ON public.approval_items USING btree (approver_id, status, created, id);


--
-- Name: approval_items_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX approval_items_created ON public.approval_items USING btree (created, id);


--
-- Name: approval_items_delegated; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX approval_items_delegated ON public.approval_items USING btree (delegated_from) WHERE ((delegated_from IS NOT NULL) AND (status = 'PENDING'::text));


--
-- Name: approval_items_modified; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX approval_items_modified ON public.approval_items USING btree (modified, id);


--
-- Name: approval_items_one_pending; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX approval_items_one_pending ON public.approval_items USING btree (request_id) WHERE (status = 'PENDING'::text);


--
-- Name: approval_items_pending; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX approval_items_pending ON public.approval_items USING btree (pending_since) WHERE (status = 'PENDING'::text);


--
-- Name: approval_items_status_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX approval_items_status_created ON public.approval_items USING btree (status, created, id);


--
-- Name: approval_policies_current_key; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX approval_policies_current_key ON public.approval_policies USING btree (COALESCE(source_id, '00000000-0000-0000-0000-000000000000'::uuid)) WHERE current;


--
-- Name: approval_policies_version_key; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX approval_policies_version_key ON public.approval_policies USING btree (COALESCE(source_id, '00000000-0000-0000-0000-000000000000'::uuid), version);


--
-- Name: audit_entries_identity; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX audit_entries_identity ON public.audit_entries USING btree (identity_id, occurred, id) WHERE (identity_id IS NOT NULL);


--
-- Name: audit_entries_object; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX audit_entries_object ON public.audit_entries USING btree (object_id, occurred, id);


--
-- Name: audit_entries_occurred; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX audit_entries_occurred ON public.audit_entries USING btree (occurred, id);


--
-- Name: clients_identity; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX clients_identity ON public.clients USING btree (identity_id);


--
-- Name: decision_comments_item; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX decision_comments_item ON public.decision_comments USING btree (item_id);


--
-- Name: deliveries_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX deliveries_created ON public.deliveries USING btree (created, id);


--
-- Name: deliveries_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX deliveries_due ON public.deliveries USING btree (due, id) WHERE (status = 'PENDING'::text);


--
-- Name: deliveries_endpoint_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX deliveries_endpoint_created ON public.deliveries USING btree (endpoint_id, created, id) WHERE (endpoint_id IS NOT NULL);


--
-- Name: deliveries_mail_key; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX deliveries_mail_key ON public.deliveries USING btree (event_id, recipient_id) WHERE (channel = 'MAIL'::text);


--
-- Name: deliveries_notification; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX deliveries_notification ON public.deliveries USING btree (notification_id);


--
-- Name: deliveries_status_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX deliveries_status_created ON public.deliveries USING btree (status, created, id);


--
-- Name: deliveries_webhook_key; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX deliveries_webhook_key ON public.deliveries USING btree (event_id, endpoint_id) WHERE (channel = 'WEBHOOK'::text);


--
-- Name: export_jobs_expires; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX export_jobs_expires ON public.export_jobs USING btree (expires) WHERE (expires IS NOT NULL);


--
-- Name: export_jobs_failed; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX export_jobs_failed ON public.export_jobs USING btree (finished) WHERE (status = 'ERROR'::text);


--
-- Name: export_jobs_kept; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX export_jobs_kept ON public.export_jobs USING btree (schedule_id) WHERE ((status = 'COMPLETED'::text) AND (schedule_id IS NOT NULL) AND (expires IS NULL));


--
-- Name: export_jobs_running; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX export_jobs_running ON public.export_jobs USING btree (modified) WHERE (status = ANY (ARRAY['PENDING'::text, 'IN_PROGRESS'::text]));


--
-- Name: export_jobs_schedule; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX export_jobs_schedule ON public.export_jobs USING btree (schedule_id, created DESC) WHERE (schedule_id IS NOT NULL);


--
-- Name: export_jobs_source_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX export_jobs_source_created ON public.export_jobs USING btree (source_id, created DESC, id DESC);


--
-- Name: export_schedules_source; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX export_schedules_source ON public.export_schedules USING btree (source_id, created, id);


--
-- Name: extension_records_one_pending; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX extension_records_one_pending ON public.extension_records USING btree (record_id) WHERE (status = 'PENDING'::text);


--
-- Name: extension_records_record; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX extension_records_record ON public.extension_records USING btree (record_id);


--
-- Name: identities_alias; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX identities_alias ON public.identities USING btree (alias_folded);


--
-- Name: identities_alias_key; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX identities_alias_key ON public.identities USING btree (alias_folded) WHERE (deleted IS NULL);


--
-- Name: identities_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX identities_created ON public.identities USING btree (created, id) WHERE (deleted IS NULL);


--
-- Name: identities_email; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX identities_email ON public.identities USING btree (email_folded) WHERE (deleted IS NULL);


--
-- Name: identities_external; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX identities_external ON public.identities USING btree (external_id) WHERE (deleted IS NULL);


--
-- Name: identities_inactive; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX identities_inactive ON public.identities USING btree (id) WHERE (NOT active);


--
-- Name: identities_manager; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX identities_manager ON public.identities USING btree (manager_id) WHERE (manager_id IS NOT NULL);


--
-- Name: identities_name; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX identities_name ON public.identities USING btree (name_folded, id) WHERE (deleted IS NULL);


--
-- Name: import_jobs_finished; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX import_jobs_finished ON public.import_jobs USING btree (finished) WHERE (finished IS NOT NULL);


--
-- Name: import_jobs_lease; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX import_jobs_lease ON public.import_jobs USING btree (lease_until) WHERE (status = 'RECEIVING'::text);


--
-- Name: import_jobs_waiting; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX import_jobs_waiting ON public.import_jobs USING btree (source_id, sequence) WHERE (status = ANY (ARRAY['PENDING'::text, 'IN_PROGRESS'::text]));


--
-- Name: lifecycle_policies_source_key; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX lifecycle_policies_source_key ON public.lifecycle_policies USING btree (COALESCE(source_id, '00000000-0000-0000-0000-000000000000'::uuid));


--
-- Name: notifications_batch; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX notifications_batch ON public.notifications USING btree (batch_id) WHERE (batch_id IS NOT NULL);


--
-- Name: notifications_event; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX notifications_event ON public.notifications USING btree (event_id);


--
-- Name: notifications_relayed; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX notifications_relayed ON public.notifications USING btree (relayed) WHERE (relayed IS NOT NULL);


--
-- Name: notifications_waiting; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX notifications_waiting ON public.notifications USING btree (created, id) WHERE (relayed IS NULL);


--
-- Name: records_account_name; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX records_account_name ON public.records USING btree (account_name_folded, id);


--
-- Name: records_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX records_created ON public.records USING btree (created, id);


--
-- Name: records_email; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX records_email ON public.records USING btree (email_folded);


--
-- Name: records_end_date; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX records_end_date ON public.records USING btree (end_date, id);


--
-- Name: records_first_name; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX records_first_name ON public.records USING btree (first_name_folded);


--
-- Name: records_last_name; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX records_last_name ON public.records USING btree (last_name_folded);


--
-- Name: records_lifecycle; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX records_lifecycle ON public.records USING btree (source_id, lifecycle_rung, end_date) WHERE (lifecycle_state <> 'PLANNED'::text);


--
-- Name: records_manager; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX records_manager ON public.records USING btree (manager_id);


--
-- Name: records_modified; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX records_modified ON public.records USING btree (modified, id);


--
-- Name: records_planned; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX records_planned ON public.records USING btree (start_date) WHERE (lifecycle_state = 'PLANNED'::text);


--
-- Name: records_source_account_name; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX records_source_account_name ON public.records USING btree (source_id, account_name_folded, id);


--
-- Name: records_source_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX records_source_created ON public.records USING btree (source_id, created, id);


--
-- Name: records_start_date; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX records_start_date ON public.records USING btree (start_date);


--
-- Name: records_state_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX records_state_created ON public.records USING btree (lifecycle_state, created, id) WHERE (lifecycle_state <> 'ACTIVE'::text);


--
-- Name: requests_account_name; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX requests_account_name ON public.requests USING btree (account_name_folded, id);


--
-- Name: requests_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX requests_created ON public.requests USING btree (created, id);


--
-- Name: requests_extensions; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX requests_extensions ON public.requests USING btree (created, id) WHERE (kind = 'EXTENSION'::text);


--
-- Name: requests_manager; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX requests_manager ON public.requests USING btree (manager_id);


--
-- Name: requests_pending_since; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX requests_pending_since ON public.requests USING btree (pending_since, id);


--
-- Name: requests_policy; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX requests_policy ON public.requests USING btree (policy_id) WHERE (policy_id IS NOT NULL);


--
-- Name: requests_source_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX requests_source_created ON public.requests USING btree (source_id, created, id);


--
-- Name: requests_source_status; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX requests_source_status ON public.requests USING btree (source_id, approval_status);


--
-- Name: requests_status_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX requests_status_created ON public.requests USING btree (approval_status, created, id);


--
-- Name: requests_unchecked; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX requests_unchecked ON public.requests USING btree (workflow_checked_at, id) WHERE (approval_status = 'PENDING'::text);


--
-- Name: requests_unseen; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX requests_unseen ON public.requests USING btree (workflow_checked_at, id) WHERE (workflow_seen_at < modified);


--
-- Name: source_account_managers_manager; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX source_account_managers_manager ON public.source_account_managers USING btree (manager_id, source_id);


--
-- Name: sources_owner; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX sources_owner ON public.sources USING btree (owner_id);


--
-- Name: workflow_endings_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX workflow_endings_created ON public.workflow_endings USING btree (created);


--
-- Name: workgroup_members_identity; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX workgroup_members_identity ON public.workgroup_members USING btree (identity_id);


--
-- Name: workgroups_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX workgroups_created ON public.workgroups USING btree (created, id) WHERE (deleted IS NULL);


--
-- Name: workgroups_name_key; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX workgroups_name_key ON public.workgroups USING btree (name_folded) WHERE (deleted IS NULL);


--
-- Name: records records_made; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER records_made BEFORE INSERT ON public.records FOR EACH ROW WHEN (((new.start_date > now()) OR (new.end_date <= now()))) EXECUTE FUNCTION public.records_follow_dates();


--
-- Name: records records_moved; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER records_moved BEFORE UPDATE OF start_date, end_date ON public.records FOR EACH ROW WHEN (((new.start_date <> old.start_date) OR (new.end_date <> old.end_date))) EXECUTE FUNCTION public.records_follow_dates();


--
-- Name: absences absences_deputy_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.absences
    ADD CONSTRAINT absences_deputy_fkey FOREIGN KEY (deputy_id) REFERENCES public.identities(id);


--
-- Name: absences absences_identity_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.absences
    ADD CONSTRAINT absences_identity_fkey FOREIGN KEY (identity_id) REFERENCES public.identities(id);


--
-- Name: approval_items approval_items_request_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.approval_items
    ADD CONSTRAINT approval_items_request_fkey FOREIGN KEY (request_id) REFERENCES public.requests(id) ON DELETE CASCADE;


--
-- Name: approval_policies approval_policies_source_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.approval_policies
    ADD CONSTRAINT approval_policies_source_fkey FOREIGN KEY (source_id) REFERENCES public.source_counters(source_id) ON DELETE CASCADE;


--
-- Name: approval_reassignments approval_reassignments_item_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.approval_reassignments
    ADD CONSTRAINT approval_reassignments_item_fkey FOREIGN KEY (item_id) REFERENCES public.approval_items(id) ON DELETE CASCADE;


--
-- Name: clients clients_identity_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.clients
    ADD CONSTRAINT clients_identity_fkey FOREIGN KEY (identity_id) REFERENCES public.identities(id) ON DELETE CASCADE;


--
-- Name: decision_comments decision_comments_item_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.decision_comments
    ADD CONSTRAINT decision_comments_item_fkey FOREIGN KEY (item_id) REFERENCES public.approval_items(id) ON DELETE CASCADE;


--
-- Name: decision_rejections decision_rejections_decision_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.decision_rejections
    ADD CONSTRAINT decision_rejections_decision_fkey FOREIGN KEY (decision_id) REFERENCES public.decision_comments(decision_id) ON DELETE CASCADE;


--
-- Name: deliveries deliveries_endpoint_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_endpoint_fkey FOREIGN KEY (endpoint_id) REFERENCES public.webhook_endpoints(id) ON DELETE CASCADE;


--
-- Name: deliveries deliveries_notification_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_notification_fkey FOREIGN KEY (notification_id) REFERENCES public.notifications(id) ON DELETE CASCADE;


--
-- Name: export_jobs export_jobs_source_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.export_jobs
    ADD CONSTRAINT export_jobs_source_fkey FOREIGN KEY (source_id) REFERENCES public.source_counters(source_id) ON DELETE CASCADE;


--
-- Name: export_schedules export_schedules_source_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.export_schedules
    ADD CONSTRAINT export_schedules_source_fkey FOREIGN KEY (source_id) REFERENCES public.source_counters(source_id) ON DELETE CASCADE;


--
-- Name: extension_records extension_records_request_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.extension_records
    ADD CONSTRAINT extension_records_request_fkey FOREIGN KEY (request_id) REFERENCES public.extensions(request_id) ON DELETE CASCADE;


--
-- Name: extensions extensions_request_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.extensions
    ADD CONSTRAINT extensions_request_fkey FOREIGN KEY (request_id) REFERENCES public.requests(id) ON DELETE CASCADE;


--
-- Name: identities identities_manager_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.identities
    ADD CONSTRAINT identities_manager_fkey FOREIGN KEY (manager_id) REFERENCES public.identities(id);


--
-- Name: import_jobs import_jobs_source_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.import_jobs
    ADD CONSTRAINT import_jobs_source_fkey FOREIGN KEY (source_id) REFERENCES public.source_counters(source_id) ON DELETE CASCADE;


--
-- Name: lifecycle_policies lifecycle_policies_source_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.lifecycle_policies
    ADD CONSTRAINT lifecycle_policies_source_fkey FOREIGN KEY (source_id) REFERENCES public.source_counters(source_id) ON DELETE CASCADE;


--
-- Name: records records_manager_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.records
    ADD CONSTRAINT records_manager_fkey FOREIGN KEY (manager_id) REFERENCES public.identities(id);


--
-- Name: records records_source_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.records
    ADD CONSTRAINT records_source_fkey FOREIGN KEY (source_id) REFERENCES public.source_counters(source_id);


--
-- Name: requests requests_manager_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.requests
    ADD CONSTRAINT requests_manager_fkey FOREIGN KEY (manager_id) REFERENCES public.identities(id);


--
-- Name: requests requests_policy_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.requests
    ADD CONSTRAINT requests_policy_fkey FOREIGN KEY (policy_id) REFERENCES public.approval_policies(id);


--
-- Name: requests requests_source_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.requests
    ADD CONSTRAINT requests_source_fkey FOREIGN KEY (source_id) REFERENCES public.source_counters(source_id);


--
-- Name: schema_attributes schema_attributes_source_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.schema_attributes
    ADD CONSTRAINT schema_attributes_source_fkey FOREIGN KEY (source_id) REFERENCES public.sources(id) ON DELETE CASCADE;


--
-- Name: source_account_managers source_account_managers_source_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.source_account_managers
    ADD CONSTRAINT source_account_managers_source_fkey FOREIGN KEY (source_id) REFERENCES public.sources(id) ON DELETE CASCADE;


--
-- Name: source_approvers source_approvers_source_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.source_approvers
    ADD CONSTRAINT source_approvers_source_fkey FOREIGN KEY (source_id) REFERENCES public.sources(id) ON DELETE CASCADE;


--
-- Name: source_counters source_counters_source_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.source_counters
    ADD CONSTRAINT source_counters_source_fkey FOREIGN KEY (source_id) REFERENCES public.sources(id) ON DELETE CASCADE;


--
-- Name: sources sources_owner_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sources
    ADD CONSTRAINT sources_owner_fkey FOREIGN KEY (owner_id) REFERENCES public.identities(id);


--
-- Name: sources sources_workgroup_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sources
    ADD CONSTRAINT sources_workgroup_fkey FOREIGN KEY (management_workgroup) REFERENCES public.workgroups(id);


--
-- Name: workgroup_members workgroup_members_identity_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.workgroup_members
    ADD CONSTRAINT workgroup_members_identity_fkey FOREIGN KEY (identity_id) REFERENCES public.identities(id) ON DELETE CASCADE;


--
-- Name: workgroup_members workgroup_members_workgroup_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.workgroup_members
    ADD CONSTRAINT workgroup_members_workgroup_fkey FOREIGN KEY (workgroup_id) REFERENCES public.workgroups(id) ON DELETE CASCADE;


--
-- Name: SCHEMA public; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA public TO gatehouse_app;


--
-- Name: TABLE absences; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.absences TO gatehouse_app;


--
-- Name: TABLE account_names; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.account_names TO gatehouse_app;


--
-- Name: TABLE approval_items; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.approval_items TO gatehouse_app;


--
-- Name: TABLE approval_policies; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.approval_policies TO gatehouse_app;


--
-- Name: TABLE approval_reassignments; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT ON TABLE public.approval_reassignments TO gatehouse_app;


--
-- Name: TABLE audit_details; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT ON TABLE public.audit_details TO gatehouse_app;


--
-- Name: TABLE audit_entries; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT ON TABLE public.audit_entries TO gatehouse_app;


--
-- Name: SEQUENCE audit_numbers; Type: ACL; Schema: public; Owner: -
--

GRANT USAGE ON SEQUENCE public.audit_numbers TO gatehouse_app;


--
-- Name: TABLE audit_seals; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT ON TABLE public.audit_seals TO gatehouse_app;


--
-- Name: TABLE audit_tail; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE ON TABLE public.audit_tail TO gatehouse_app;


--
-- Name: TABLE bulk_garbage; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.bulk_garbage TO gatehouse_app;


--
-- Name: TABLE clients; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.clients TO gatehouse_app;


--
-- Name: TABLE decision_comments; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT ON TABLE public.decision_comments TO gatehouse_app;


--
-- Name: TABLE decision_rejections; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT ON TABLE public.decision_rejections TO gatehouse_app;


--
-- Name: TABLE deliveries; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.deliveries TO gatehouse_app;


--
-- Name: TABLE export_chunks; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE ON TABLE public.export_chunks TO gatehouse_app;


--
-- Name: TABLE export_jobs; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.export_jobs TO gatehouse_app;


--
-- Name: TABLE export_schedules; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.export_schedules TO gatehouse_app;


--
-- Name: TABLE extension_records; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.extension_records TO gatehouse_app;


--
-- Name: TABLE extensions; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.extensions TO gatehouse_app;


--
-- Name: TABLE gatehouse_migrations; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.gatehouse_migrations TO gatehouse_app;


--
-- Name: TABLE identities; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.identities TO gatehouse_app;


--
-- Name: TABLE import_faults; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE ON TABLE public.import_faults TO gatehouse_app;


--
-- Name: TABLE import_jobs; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.import_jobs TO gatehouse_app;


--
-- Name: TABLE import_rows; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.import_rows TO gatehouse_app;


--
-- Name: TABLE lifecycle_policies; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.lifecycle_policies TO gatehouse_app;


--
-- Name: TABLE notification_records; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE ON TABLE public.notification_records TO gatehouse_app;


--
-- Name: TABLE notifications; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.notifications TO gatehouse_app;


--
-- Name: TABLE organisation; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,UPDATE ON TABLE public.organisation TO gatehouse_app;


--
-- Name: TABLE rate_windows; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.rate_windows TO gatehouse_app;


--
-- Name: TABLE records; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.records TO gatehouse_app;


--
-- Name: TABLE requests; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.requests TO gatehouse_app;


--
-- Name: TABLE schedule_endings; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.schedule_endings TO gatehouse_app;


--
-- Name: TABLE schema_attributes; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.schema_attributes TO gatehouse_app;


--
-- Name: TABLE signing_keys; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE ON TABLE public.signing_keys TO gatehouse_app;


--
-- Name: TABLE source_account_managers; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE ON TABLE public.source_account_managers TO gatehouse_app;


--
-- Name: TABLE source_approvers; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE ON TABLE public.source_approvers TO gatehouse_app;


--
-- Name: TABLE source_counters; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.source_counters TO gatehouse_app;


--
-- Name: TABLE sources; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.sources TO gatehouse_app;


--
-- Name: TABLE webhook_endpoints; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.webhook_endpoints TO gatehouse_app;


--
-- Name: TABLE workflow_endings; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.workflow_endings TO gatehouse_app;


--
-- Name: TABLE workgroup_members; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE ON TABLE public.workgroup_members TO gatehouse_app;


--
-- Name: TABLE workgroups; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.workgroups TO gatehouse_app;


--
-- PostgreSQL database dump complete
--


