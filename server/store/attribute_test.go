package store

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// said is what stands in the attributes, in one line.
func said(t *testing.T, c company) string {
	t.Helper()
	all, err := c.Attributes(context.Background())
	ok(t, err)
	text := ""
	for _, a := range all {
		text += fmt.Sprintf("%s %s %s=%s by %s; ", a.Level, a.Target, a.Name, a.Value, a.ByName)
	}
	return text
}

func TestWhatPeopleSayOfDevices(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		c := founded(t, s, "a")
		c.enroll(t, "agt_two", "dev_two")
		ok(t, c.ChangeDevices(ctx, day0, []string{"dev_a", "dev_two"}, DeviceChange{Values: map[string]string{"exposure": "open", "role:sql": "no"}}))
		ok(t, c.SetAttributes(ctx, day0, LevelSite, c.site, map[string]string{"exposure": "small"}))
		ok(t, c.SetAttributes(ctx, day0, LevelCustomer, c.id, map[string]string{"criticality": "high"}))
		ok(t, c.ChangeDevices(ctx, day0.Add(time.Hour), []string{"dev_two"}, DeviceChange{Values: map[string]string{"exposure": "controlled", "role:sql": ""}}))
		want := "customer cus_a criticality=high by Ann; device dev_a exposure=open by Ann; device dev_a role:sql=no by Ann; device dev_two exposure=controlled by Ann; site site_a exposure=small by Ann; "
		if got := said(t, c); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
		some, err := c.Attributes(ctx, "dev_two", c.id)
		ok(t, err)
		if len(some) != 2 || !some[1].At.Equal(day0.Add(time.Hour)) {
			t.Errorf("%+v", some)
		}
		// All or none: one device of several is not there.
		refused(t, ErrNotFound, c.ChangeDevices(ctx, day0, []string{"dev_a", "dev_none"}, DeviceChange{Values: map[string]string{"exposure": "small"}}))
		refused(t, ErrNotFound, c.SetAttributes(ctx, day0, LevelSite, "site_none", map[string]string{"exposure": "small"}))
		if got := said(t, c); got != want {
			t.Errorf("what was refused left %s", got)
		}
		acts, err := c.Audit(ctx, AuditFilter{Act: "attribute.set", Device: "dev_two"})
		ok(t, err)
		if len(acts) != 2 || string(acts[0].Payload) != `{"level":"device","target":"dev_two","values":{"exposure":"controlled","role:sql":""},"was":{"values":{"exposure":"open","role:sql":"no"}}}` {
			t.Errorf("%s", acts[0].Payload)
		}
	})
}

// ranked is the groups in one line.
func ranked(t *testing.T, c company) string {
	t.Helper()
	all, err := c.Groups(context.Background())
	ok(t, err)
	text := ""
	for _, g := range all {
		text += fmt.Sprintf("%d %s (%d) ", g.Rank, g.Name, g.Devices)
	}
	return text
}

func TestGroupsAreRankedWithoutGaps(t *testing.T) {
	both(t, func(t *testing.T, s *Store) {
		ctx := context.Background()
		c := founded(t, s, "a")
		c.enroll(t, "agt_two", "dev_two")
		for _, name := range []string{"One", "Two", "Three", "Four"} {
			ok(t, c.CreateGroup(ctx, day0, Group{ID: "grp_" + name, Name: name, CreatedAt: day0}))
		}
		refused(t, ErrExists, c.CreateGroup(ctx, day0, Group{ID: "grp_x", Name: " one", CreatedAt: day0}))
		ok(t, c.ChangeDevices(ctx, day0, []string{"dev_a", "dev_two"}, DeviceChange{Join: []string{"grp_Two", "grp_Four"}}))
		ok(t, c.ChangeDevices(ctx, day0, []string{"dev_a", "dev_two"}, DeviceChange{Join: []string{"grp_Two"}})) // once more changes nothing
		ok(t, c.ChangeDevices(ctx, day0, []string{"dev_a"}, DeviceChange{Leave: []string{"grp_Two"}}))
		for _, step := range []struct {
			do   func() error
			want string
		}{
			{func() error { return nil }, "1 One (0) 2 Two (1) 3 Three (0) 4 Four (2) "},
			{func() error { return c.UpdateGroup(ctx, day0, "grp_Four", "Vier", 1) }, "1 Vier (2) 2 One (0) 3 Two (1) 4 Three (0) "},
			{func() error { return c.UpdateGroup(ctx, day0, "grp_One", "One", 99) }, "1 Vier (2) 2 Two (1) 3 Three (0) 4 One (0) "},
			{func() error { return c.DeleteGroup(ctx, day0, "grp_Two") }, "1 Vier (2) 2 Three (0) 3 One (0) "},
			{func() error { return c.RetireDevice(ctx, day0, "dev_two") }, "1 Vier (1) 2 Three (0) 3 One (0) "},
		} {
			ok(t, step.do())
			if got := ranked(t, c); got != step.want {
				t.Errorf("%s, want %s", got, step.want)
			}
		}
		refused(t, ErrExists, c.UpdateGroup(ctx, day0, "grp_One", "vier", 1))
		refused(t, ErrNotFound, c.UpdateGroup(ctx, day0, "grp_Two", "Two", 1))
		refused(t, ErrNotFound, c.DeleteGroup(ctx, day0, "grp_Two"))
		refused(t, ErrNotFound, c.ChangeDevices(ctx, day0, []string{"dev_a"}, DeviceChange{Join: []string{"grp_Two"}}))
		in, err := c.Memberships(ctx, "dev_a")
		ok(t, err)
		if len(in) != 1 || in[0] != (Membership{"grp_Four", "dev_a"}) {
			t.Errorf("%+v", in)
		}
	})
}
