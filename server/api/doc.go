// Package api is the server's face to people and their programs: the REST API under
// /api/v1 with its OpenAPI document, live events, and the console's files.
//
// The one idea: the route table is the program. Every route stands in one list with its
// rule of access; what is not in the list does not exist, and a route without a rule does
// not start. Handlers read rows from the store, read what is derived from the Fleet, write
// through store handles that carry the person (and so write the audit chain), and tell the
// Engine what became due. They decide nothing about devices.
package api
