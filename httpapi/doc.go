// Package httpapi serves the contract over HTTP. It is the only importer of
// Gin.
//
// openapi.yaml says what is served; types and routes are generated from it. A
// handler binds, calls the [Service] and answers. Everything that is alike for
// all operations happens around it: the mounts (contract §1), the tracking id,
// the access log, the token, the reading of bodies, the answers to errors
// (contract §3).
package httpapi

//go:generate go tool -modfile=../tools/oapi-codegen/go.mod oapi-codegen -config oapi-codegen.yaml openapi.yaml
