// Package notice puts events into words for people and into messages for other
// systems: mails by templates, which a folder may replace, and CloudEvents, each
// type of which has a versioned schema. It looks nothing up: whatever is to be
// told is handed to it.
package notice
