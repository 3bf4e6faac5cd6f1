package e2e

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// quietNetwork makes a network namespace in which the server answers at the address it has
// here. A browser drops its connections whenever an interface of the machine comes or goes,
// as those of other tests' devices do; in there, none does.
func quietNetwork(t *testing.T, address string) string {
	t.Helper()
	name := fmt.Sprintf("patchbay-web-%d-%s", os.Getpid(), address[strings.LastIndex(address, ":")+1:])
	for _, args := range [][]string{{"netns", "add", name}, {"-n", name, "link", "set", "lo", "up"}} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %v: %v %s", args, err, out)
		}
	}
	t.Cleanup(func() { exec.Command("ip", "netns", "del", name).Run() })
	path := filepath.Join("/run/netns", name)
	listener, err := listenIn(path, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			inside, err := listener.Accept()
			if err != nil {
				return
			}
			go forward(inside, address)
		}
	}()
	return path
}

// listenIn opens a listener in another network namespace. A socket stays in the namespace
// it was made in, whoever uses it.
func listenIn(namespace, address string) (listener net.Listener, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		var f *os.File
		if f, err = os.Open(namespace); err != nil {
			return
		}
		defer f.Close()
		if err = unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err == nil {
			listener, err = net.Listen("tcp", address)
		}
	}()
	<-done
	return listener, err
}

// forward carries one connection to the same address in the machine's own network.
func forward(inside net.Conn, address string) {
	defer inside.Close()
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		io.Copy(server, inside)
		server.(*net.TCPConn).CloseWrite()
	}()
	io.Copy(inside, server)
}
