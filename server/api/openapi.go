package api

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"patchbay/patch"
	"patchbay/server/verdict"
	"patchbay/wire"
)

// config is the framework's set-up: JSON only, no pages of its own, refusals rewritten.
func config(version string) huma.Config {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{Title: "Patchbay", Version: version,
				Description: "Everything that the console shows and does. Times are RFC 3339 in UTC. Lists take q, sort, after and limit and are sorted, searched and paged by the server. Refusals are RFC 9457 problems."},
			Components: &huma.Components{
				Schemas: registry,
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"session": {Type: "apiKey", In: "cookie", Name: cookieName},
					"key":     {Type: "http", Scheme: "bearer"},
				},
			},
			Security: []map[string][]string{{"session": {}}, {"key": {}}},
		},
		Formats:       map[string]huma.Format{"application/json": plainJSON(), "json": plainJSON()},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{cleaned},
	}
}

// Document gives the OpenAPI document. It needs no running server.
func Document(version string) ([]byte, error) {
	s := &Server{Options: Options{Version: version}}
	api, err := s.register(http.NewServeMux())
	if err != nil {
		return nil, err
	}
	return document(api)
}

// document writes the OpenAPI document after putting right what the framework says of our
// types: lists are never null, refusals carry no values, and words come from closed sets.
func document(api huma.API) ([]byte, error) {
	schemas := api.OpenAPI().Components.Schemas.Map()
	for _, schema := range schemas {
		for _, property := range schema.Properties {
			if property.Type == huma.TypeArray {
				property.Nullable = false
			}
		}
	}
	if detail := schemas["ErrorDetail"]; detail != nil {
		delete(detail.Properties, "value")
		delete(schemas["ErrorModel"].Properties, "instance")
	}
	closeSet(schemas, "Verdict", "name", verdictNames())
	closeSet(schemas, "Verdict", "state", texts(verdict.Good, verdict.Moving, verdict.WaitsTime, verdict.WaitsPerson, verdict.Bad, verdict.Excused, verdict.NotKnown, verdict.Gone))
	closeSet(schemas, "Verdict", "link", texts(verdict.Chain()...))
	closeSet(schemas, "ChainLink", "link", texts(verdict.Chain()...))
	closeSet(schemas, "Verdict", "owner", texts(verdict.MSP, verdict.Customer, verdict.User, verdict.Vendor, verdict.Patchbay, verdict.Nobody))
	closeSet(schemas, "Verdict", "act", texts(verdict.ActNone, verdict.ActApprove, verdict.ActForce, verdict.ActRetry, verdict.ActUnhold, verdict.ActLook, verdict.ActManage, verdict.ActSettle, verdict.ActUndo))
	steps := texts(wire.StepStaging, wire.StepWaiting, wire.StepPreflight, wire.StepApplying, wire.StepRestarting, wire.StepRebooting, wire.StepVerifying, wire.StepDone, wire.StepFailed)
	results := texts(wire.ResultOK, wire.ResultFailed, wire.ResultRefused, wire.ResultBusy, wire.ResultOffline, wire.ResultTold)
	for _, name := range []string{"Job", "JobDetail", "Outcome", "NeedJob"} {
		closeSet(schemas, name, "step", steps)
		closeSet(schemas, name, "result", results)
	}
	for _, name := range []string{"Need", "NeedDetail", "Update", "UpdateDetail"} {
		closeSet(schemas, name, "severity", texts(patch.Severities()...))
		closeSet(schemas, name, "block", texts(patch.Held, patch.Pinned, patch.Phased, patch.KeptBack, patch.Optional))
		closeSet(schemas, name, "reboot", texts(patch.Yes, patch.No))
		if s := schemas[name]; s != nil && s.Properties["classes"] != nil {
			s.Properties["classes"].Items.Enum = texts(patch.Classes()...)
		}
	}
	body, err := json.MarshalIndent(api.OpenAPI(), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the OpenAPI document: %w", err)
	}
	return append(body, '\n'), nil
}

// closeSet says which words a property may have.
func closeSet(schemas map[string]*huma.Schema, name, property string, words []any) {
	if s := schemas[name]; s != nil && s.Properties[property] != nil {
		s.Properties[property].Enum = words
	}
}

func texts[T ~string](words ...T) []any {
	list := make([]any, len(words))
	for i, w := range words {
		list[i] = string(w)
	}
	return list
}

func verdictNames() []any {
	return texts(verdict.VERIFIED, verdict.UNKNOWN, verdict.STALE, verdict.HELD, verdict.KEPT_BACK,
		verdict.NO_FIX, verdict.WITHDRAWN, verdict.SUPERSEDED, verdict.NOT_APPLICABLE, verdict.WAITS_DECISION,
		verdict.REJECTED, verdict.EXCEPTED, verdict.WAITS_RING, verdict.OBSERVED, verdict.WAITS_DEVICE,
		verdict.STAGING, verdict.WAITS_WINDOW, verdict.PREFLIGHT, verdict.APPLYING, verdict.FAILED,
		verdict.ROLLED_BACK, verdict.INSTALLED_PENDING_REBOOT, verdict.RUNNING_OLD, verdict.VERIFYING,
		verdict.TWO_MASTERS, verdict.WAITS_USER, verdict.DISPUTED, verdict.RECALLED)
}

func (s *Server) openapi(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Write(s.doc)
}
