// Package auth issues access tokens and tells from a token who calls
// (contract §6).
//
// Tokens are JWTs signed with Ed25519 keys that all API processes share. What
// a token says of scope narrows what its client may do; everything else that
// decides about access, the client's and the identity's state, levels and
// rights, is taken from their rows and at most [StateAge] old. So whoever is
// switched off is out after that time, however long their token lives.
package auth
