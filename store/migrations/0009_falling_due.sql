-- What falls due on a request that nobody decides.

-- +goose Up

-- Approved because nobody decided in time, by its policy: then nobody did.
ALTER TABLE approval_items ADD COLUMN timed_out boolean NOT NULL DEFAULT false;
ALTER TABLE approval_items DROP CONSTRAINT approval_items_decided;
ALTER TABLE approval_items ADD CONSTRAINT approval_items_decided CHECK (
	(decided_by IS NULL) = (status NOT IN ('APPROVED', 'REJECTED') OR timed_out) AND (status = 'APPROVED' OR NOT timed_out));
