package bed

import (
	"net"
	"strings"
	"testing"
	"time"
)

// A computer's clock shows what it was started with, it knows the host, and its disk keeps
// what was written before its power was cut.
func TestComputerHasAClockAndADiskOfItsOwn(t *testing.T) {
	t.Parallel()
	b := New(t)
	l := b.Listen(t)
	if err := l.(*net.TCPListener).SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	c := b.Device(t, Options{Name: "pc"}).Computer(t, `date -u +%Y >> /years
timeout 5 bash -c "echo hello > /dev/tcp/`+HostName+"/"+strings.Split(l.Addr().String(), ":")[1]+`"
sleep 1000`)
	t.Logf("made in %v", time.Since(began).Round(time.Millisecond))
	for _, year := range []int{2016, 2036} {
		began = time.Now()
		c.Start(t, time.Date(year, 5, 1, 0, 0, 0, 0, time.UTC))
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		t.Logf("started in %v", time.Since(began).Round(time.Millisecond))
		c.Cut(t)
	}
	if text, _, err := c.Oracle().File("/years"); err != nil || text != "2016\n2036\n" {
		t.Errorf("the years were %q, %v; it said:\n%s", text, err, c.Console())
	}
}
