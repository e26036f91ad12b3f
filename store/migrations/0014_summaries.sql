-- Summaries and counts of an approver's items are read from the index alone: where
-- somebody has decided thousands of requests, each row would be looked at.

-- +goose NO TRANSACTION
-- +goose Up

-- One that was broken off is there and of no use.
DROP INDEX CONCURRENTLY IF EXISTS approval_items_assigned;
CREATE INDEX CONCURRENTLY approval_items_assigned ON approval_items (approver_id, status, created, id)
	INCLUDE (approver_type, kind);
-- The other does all that it did.
DROP INDEX CONCURRENTLY IF EXISTS approval_items_approver_status;
