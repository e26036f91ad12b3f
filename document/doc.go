// Package document reads the JSON that clients send into the inputs that
// lifecycle judges. A body of a request and a document that a JSON Patch made
// go through the same functions.
//
// The package is pure: it imports the standard library and lifecycle only. It
// judges form, not content. That a text is an account name that may be used is
// for lifecycle to say; that it is a text at all is said here.
package document
