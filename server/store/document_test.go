package store

import (
	"context"
	"slices"
	"testing"
	"time"

	"patchbay/wire"
)

// signedBy is a document of a content, as if signed by the keys.
func signedBy(docType string, version int64, id, content string, keys ...string) Document {
	d := Document{Type: docType, Version: wire.OrdersVersion{Version: version}, ID: id,
		Envelope: wire.Envelope{Type: docType, Payload: []byte(content)}}
	for _, k := range keys {
		d.Envelope.Signatures = append(d.Envelope.Signatures, wire.Signature{Key: k, Sig: []byte("by " + k)})
	}
	return d
}

func TestADocumentIsKeptOnceAndNeverChanges(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx, m := context.Background(), s.MSP(ann)
		root := signedBy(wire.RootDocument, 1, "", "one", "a")
		ok(t, m.AddDocument(ctx, day0, root))
		before, mark := acts(t, s), must(m.DocumentsMark(ctx))(t)
		ok(t, m.AddDocument(ctx, day0.Add(time.Hour), root))
		if n := acts(t, s); n != before {
			t.Errorf("the very same again wrote %d acts", n-before)
		}
		refused(t, ErrDocument, m.AddDocument(ctx, day0, signedBy(wire.RootDocument, 1, "", "other", "a", "b")))
		if must(m.DocumentsMark(ctx))(t) != mark {
			t.Error("what changed nothing moved the mark")
		}
		all := must(m.Documents(ctx, wire.RootDocument))(t)
		want := root
		want.At, want.By = day0, ann.ID
		same(t, all, []Document{want})
		if got := MarkOf(must(m.Documents(ctx, ""))(t)); got != mark {
			t.Errorf("what was read is marked %q, and the store says %q: it would be read again and again", got, mark)
		}
	})
}

func TestMoreKeysMaySignTheSameDocument(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx, m := context.Background(), s.MSP(ann)
		ok(t, m.AddDocument(ctx, day0, signedBy(wire.ApprovalDocument, 0, "x", "one", "a")))
		mark := must(m.DocumentsMark(ctx))(t)
		ok(t, m.AddDocument(ctx, day0.Add(time.Second), signedBy(wire.ApprovalDocument, 0, "x", "one", "b", "a")))
		if must(m.DocumentsMark(ctx))(t) == mark {
			t.Error("another signature did not move the mark")
		}
		all := must(m.Documents(ctx, ""))(t)
		if len(all) != 1 || len(all[0].Envelope.Signatures) != 2 {
			t.Fatalf("%+v", all)
		}
		rows := must(m.Audit(ctx, AuditFilter{Act: "document.publish"}))(t)
		if len(rows) != 2 || string(rows[0].Payload) != `{"keys":["b"],"type":"patchbay/approval/v1","version":"x"}` || rows[0].Object != "approval x" {
			t.Errorf("the chain says %+v", rows)
		}
		whole(t, s)
	})
}

func TestDocumentsComeByTypeAndInOrder(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx, m := context.Background(), s.MSP(ann)
		for _, v := range []wire.OrdersVersion{{Epoch: 2, Version: 1}, {Epoch: 1, Version: 10}, {Epoch: 1, Version: 9}} {
			d := signedBy(wire.ServerDocument, v.Version, "", "s", "k")
			d.Version = v
			ok(t, m.AddDocument(ctx, day0, d))
		}
		ok(t, m.AddDocument(ctx, day0, signedBy(wire.RootDocument, 1, "", "r", "k")))
		var got []string
		for _, d := range must(m.Documents(ctx, wire.ServerDocument))(t) {
			got = append(got, d.number())
		}
		if !slices.Equal(got, []string{"1.9", "1.10", "2.1"}) {
			t.Errorf("%v", got)
		}
		if n := len(must(m.Documents(ctx, ""))(t)); n != 4 {
			t.Errorf("%d documents of all types", n)
		}
		if epoch := must(m.OrdersEpoch(ctx))(t); epoch != 1 {
			t.Errorf("the first epoch is %d", epoch)
		}
	})
}

func TestSignaturesOfManyAtOnceAreAllKept(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		n := atOnce(8, func(i int) error {
			return s.MSP(ann).AddDocument(context.Background(), day0, signedBy(wire.ApprovalDocument, 0, "x", "one", numbered("key", i)))
		})
		if all := must(s.MSP(ann).Documents(context.Background(), ""))(t); n != 8 || len(all[0].Envelope.Signatures) != 8 {
			t.Errorf("of 8 signatures %d were taken, %d are there", n, len(all[0].Envelope.Signatures))
		}
	})
}

func TestOneOfManyAtOnceIsKept(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		n := atOnce(8, func(i int) error {
			return s.MSP(ann).AddDocument(ctx, day0, signedBy(wire.ServerDocument, 1, "", numbered("content", i), "k"))
		})
		if all := must(s.MSP(ann).Documents(ctx, ""))(t); n != 1 || len(all) != 1 {
			t.Errorf("%d were taken, %d are there", n, len(all))
		}
		whole(t, s)
	})
}

// must unwraps what came without an error.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		ok(t, err)
		return v
	}
}
