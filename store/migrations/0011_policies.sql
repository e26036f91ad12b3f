-- Since when a request waits where it stands, so that lists can be sorted by it.

-- +goose Up

-- That of the item that is PENDING; NULL where none is.
ALTER TABLE requests ADD COLUMN pending_since timestamptz(3);
UPDATE requests AS r SET pending_since = i.pending_since FROM approval_items AS i
	WHERE i.request_id = r.id AND i.status = 'PENDING' AND r.approval_status = 'PENDING';
CREATE INDEX requests_pending_since ON requests (pending_since, id);
