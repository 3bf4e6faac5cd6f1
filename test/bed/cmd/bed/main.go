// Command bed sets up a test bed to play with: one or more Debian devices and an
// archive with version 1.0 of everything installed and 1.1 on offer. It opens a
// shell in the first device; when that ends, all is gone again.
//
//	go build -o bed ./test/bed/cmd/bed && sudo ./bed -devices 2 -boot
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"patchbay/test/bed"
)

func main() {
	devices := flag.Int("devices", 1, "how many devices")
	boot := flag.Bool("boot", false, "run systemd in them")
	disk := flag.Int64("disk", 0, "size of their disks in MiB; 0: plenty")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	s := &stage{ctx: ctx}
	defer s.clear()
	play(s, *devices, bed.Options{Boot: *boot, Disk: *disk << 20})
}

// play makes the bed and hands the first device over.
func play(s *stage, devices int, o bed.Options) {
	b, a := bed.New(s), bed.NewArchive(s)
	a.Publish(s, bed.Stable, "1.0")
	o.Origin = b.Serve(s, a)
	o.Install = []string{"bed-app", "bed-badpost", "bed-conf", "bed-grow", "bed-reboot", "bed-slow", "bed-tools"}
	var all []*bed.Device
	for range devices {
		d := b.Device(s, o)
		all = append(all, d)
		fmt.Printf("%s: address %s, root %s\n", d.Name, d.Address(), d.Root())
	}
	a.Publish(s, bed.Stable, "1.1")
	a.Publish(s, bed.Security, "bed-app=1.2", "bed-lib=1.2")
	fmt.Printf("archive: %s; this host as seen by devices: %s (%s)\n", o.Origin.URL(), b.Address(), bed.HostName)
	if len(all) == 0 {
		<-s.ctx.Done()
		return
	}
	shell, err := all[0].Shell(s.ctx)
	if err != nil {
		s.Fatalf("bed: %v", err)
	}
	shell.Stdin, shell.Stdout, shell.Stderr = os.Stdin, os.Stdout, os.Stderr
	signal.Ignore(os.Interrupt) // the shell's
	_ = shell.Run()             // how the person left it
}

// stage is what a test is to the bed: it remembers what to undo.
type stage struct {
	ctx  context.Context
	undo []func()
}

func (*stage) Helper()                    {}
func (*stage) Name() string               { return "bed" }
func (s *stage) Context() context.Context { return s.ctx }
func (s *stage) Cleanup(f func())         { s.undo = append(s.undo, f) }

func (*stage) Logf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func (s *stage) Fatalf(format string, args ...any) {
	s.Logf(format, args...)
	s.clear()
	os.Exit(1)
}

func (s *stage) Skipf(format string, args ...any) { s.Fatalf(format, args...) }

func (s *stage) clear() {
	for _, f := range slices.Backward(s.undo) {
		f()
	}
	s.undo = nil
}
