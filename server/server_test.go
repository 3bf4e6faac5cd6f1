package server

import (
	"net"
	"os"
	"testing"
)

func TestAddressesThatAreTold(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Skip("this machine has no name")
	}
	at := &net.TCPAddr{Port: 8421}
	for listen, want := range map[string]string{
		":0":                 "https://" + host + ":8421",
		"0.0.0.0:0":          "https://" + host + ":8421",
		"[::]:0":             "https://" + host + ":8421",
		"[::1]:0":            "https://[::1]:8421",
		"127.0.0.1:0":        "https://127.0.0.1:8421",
		"patchbay.example:0": "https://patchbay.example:8421",
	} {
		if got := address("https", at, listen); got != want || hostOf(got) == "" {
			t.Errorf("listening on %s is told as %s, want %s", listen, got, want)
		}
	}
}

// Whether others can reach the console decides how strict signing in is.
func TestOwnMachineIsKnownInAnySpelling(t *testing.T) {
	own, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	for url, beyond := range map[string]bool{
		"http://localhost": false, "http://127.0.0.1:8420": false, "http://[::1]": false, "http://[::1]:8420": false,
		"https://patchbay.example": true, "http://192.0.2.1": true, "http://[2001:db8::1]": true, "http://%": true,
	} {
		s := &Server{Options: Options{PublicURL: url}, peopleL: own}
		if s.beyondLoopback() != beyond {
			t.Errorf("%s is beyond this machine: %v, want %v", url, !beyond, beyond)
		}
	}
}
