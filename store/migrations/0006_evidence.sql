-- Erasures that are under way: whose data is removed, and what of it is by now.
-- The row goes with the last of it. It names people, so that the application's
-- role, which has nothing to do here, may not even look.

-- +goose Up

CREATE TABLE erasures (
	id      uuid CONSTRAINT erasures_pkey PRIMARY KEY,
	-- What the person's data is found by.
	person  jsonb NOT NULL,
	-- What was removed so far, counted.
	removed jsonb NOT NULL,
	created timestamptz(3) NOT NULL
);
