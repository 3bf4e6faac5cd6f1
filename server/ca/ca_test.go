package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func request(t *testing.T, curve elliptic.Curve) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{"evil.example"}}, key)
	if err != nil {
		t.Fatal(err)
	}
	return csr
}

func TestKeysSurviveAndStayPrivate(t *testing.T) {
	dir := t.TempDir()
	first, err := Open(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Open(dir, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if first.Pin() != again.Pin() || string(first.Secret()) != string(again.Secret()) || !first.OrdersKey().Equal(again.OrdersKey()) {
		t.Error("opening the keys a second time gave other keys")
	}
	for _, name := range []string{"ca.key", "orders.key", "secret"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v; only its owner may read it", name, info.Mode(), err)
		}
	}
}

func TestAgentCertificateNamesTheAgentAndNothingElse(t *testing.T) {
	a, err := Open(t.TempDir(), now)
	if err != nil {
		t.Fatal(err)
	}
	der, _, err := a.SignAgent(request(t, elliptic.P256()), "agt_1", now)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if AgentOf(cert) != "agt_1" || len(cert.DNSNames) != 0 || cert.IsCA {
		t.Errorf("the certificate says %v %v", cert.URIs, cert.DNSNames)
	}
	if _, err := cert.Verify(x509.VerifyOptions{Roots: a.Pool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Error(err)
	}
	if _, err := cert.Verify(x509.VerifyOptions{Roots: a.Pool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}); err == nil {
		t.Error("an agent's certificate passes for a server's")
	}
}

func TestOtherRequestsAreRefused(t *testing.T) {
	a, err := Open(t.TempDir(), now)
	if err != nil {
		t.Fatal(err)
	}
	good := request(t, elliptic.P256())
	bent := append([]byte{}, good...)
	bent[len(bent)-1] ^= 1
	for name, csr := range map[string][]byte{"empty": nil, "garbage": []byte("x"), "other curve": request(t, elliptic.P384()), "bent signature": bent} {
		if _, _, err := a.SignAgent(csr, "agt_1", now); err == nil {
			t.Errorf("%s was signed", name)
		}
	}
}
