// Package scim serves a directory's side of SCIM 2.0 (RFC 7643, RFC 7644) over
// HTTP: Users are identities, Groups are workgroups. It stands beside httpapi and
// like it binds, calls the service and answers.
//
// What an attribute may be is declared once, in users and groups: reading bodies,
// paths of a PATCH, the attributes that an answer shows and the schemas that are
// published all go by it. What may be filtered by is declared in package filter,
// which turns nothing else into a query.
package scim
