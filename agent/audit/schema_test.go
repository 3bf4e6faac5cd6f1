package audit_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"
)

// schema is the part of JSON Schema that docs/audit.schema.json uses.
type schema struct {
	Type       string            `json:"type"`
	Const      any               `json:"const"`
	Enum       []string          `json:"enum"`
	Pattern    string            `json:"pattern"`
	Format     string            `json:"format"`
	Minimum    *float64          `json:"minimum"`
	Required   []string          `json:"required"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
}

func readSchema(t *testing.T) schema {
	t.Helper()
	b, err := os.ReadFile("../../docs/audit.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var s schema
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// check lists what does not follow the schema, and fields that the schema does not name.
func (s schema) check(at string, v any) []string {
	bad := func(format string, args ...any) []string { return []string{at + ": " + fmt.Sprintf(format, args...)} }
	if s.Const != nil {
		if v != s.Const {
			return bad("is %v", v)
		}
		return nil
	}
	switch s.Type {
	case "object":
		return s.checkObject(at, v)
	case "array":
		list, ok := v.([]any)
		if !ok {
			return bad("is %T, not a list", v)
		}
		var all []string
		for i, e := range list {
			all = append(all, s.Items.check(fmt.Sprintf("%s[%d]", at, i), e)...)
		}
		return all
	case "boolean":
		if _, ok := v.(bool); !ok {
			return bad("is %T", v)
		}
	case "integer":
		if n, ok := v.(float64); !ok || n != float64(int64(n)) || s.Minimum != nil && n < *s.Minimum {
			return bad("is %v", v)
		}
	case "string":
		text, ok := v.(string)
		if !ok || s.Enum != nil && !slices.Contains(s.Enum, text) || s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(text) {
			return bad("is %v", v)
		}
		if s.Format == "date-time" {
			if _, err := time.Parse(time.RFC3339, text); err != nil {
				return bad("%v", err)
			}
		}
	default:
		return bad("the schema has type %q", s.Type)
	}
	return nil
}

func (s schema) checkObject(at string, v any) []string {
	m, ok := v.(map[string]any)
	if !ok {
		return []string{fmt.Sprintf("%s: is %T, not an object", at, v)}
	}
	var all []string
	for _, name := range s.Required {
		if _, ok := m[name]; !ok {
			all = append(all, at+"."+name+": is missing")
		}
	}
	for name, value := range m {
		sub, ok := s.Properties[name]
		if !ok {
			all = append(all, at+"."+name+": is not in the schema")
			continue
		}
		all = append(all, sub.check(at+"."+name, value)...)
	}
	return all
}
