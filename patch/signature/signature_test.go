package signature

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"
)

func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func readBytes(data []byte) (Signature, error) { return Read(bytes.NewReader(data), int64(len(data))) }

var signedFiles = map[string]string{
	"p64-signed.exe": "Patchbay test signer", "p32-signed.exe": "Patchbay test signer", "p64-ec.exe": "Another signer",
	"p64-nest.exe": "Another signer", "p-signed.msi": "Patchbay test signer", "p-ex.msi": "Patchbay test signer",
}

func TestWhoseSignatureAFileHas(t *testing.T) {
	for name, want := range signedFiles {
		s, err := readBytes(file(t, name))
		if err != nil || s.Signer.Name != want {
			t.Errorf("%s: %+v, %v", name, s.Signer, err)
			continue
		}
		if sum := sha256.Sum256(s.Certificate.Raw); s.Signer.Certificate != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: the certificate is %s", name, s.Signer.Certificate)
		}
	}
}

func TestFilesWithoutASignatureThatCounts(t *testing.T) {
	for name, want := range map[string]error{"p64.exe": ErrUnsigned, "p.msi": ErrUnsigned, "p64-sha1.exe": ErrInvalid, "README.md": ErrKind} {
		if s, err := readBytes(file(t, name)); !errors.Is(err, want) {
			t.Errorf("%s: %+v, %v; want %v", name, s, err, want)
		}
	}
	for _, data := range [][]byte{nil, []byte("MZ"), []byte("MZ\x00\x00\x00\x00\x00\x00"), compoundMagic, bytes.Repeat([]byte{0xff}, 5000)} {
		if _, err := readBytes(data); err == nil {
			t.Errorf("%.20x has a signature", data)
		}
	}
}

// Whatever byte of a signed file is another, the signature is gone, or still the same signer's,
// or that of a certificate that nobody knows: a few bytes are of no signature at all (the
// checksum of a program, what fills up sectors, most of the certificate), and the hash of the
// whole file is what a catalogue goes by.
func TestAChangedFileIsNotTakenForAnothers(t *testing.T) {
	known := map[string]string{} // certificates
	for name := range signedFiles {
		s, err := readBytes(file(t, name))
		if err != nil {
			t.Fatal(err)
		}
		known[s.Signer.Certificate] = s.Signer.Name
	}
	if len(known) != 2 {
		t.Fatal(known)
	}
	for name, signer := range signedFiles {
		data := file(t, name)
		same := 0
		for i := range data {
			bent := slices.Clone(data)
			bent[i] ^= 0x11
			s, err := readBytes(bent)
			if other, ok := known[s.Signer.Certificate]; err == nil && ok && other != signer {
				t.Fatalf("%s with byte %d bent is signed by %+v", name, i, s.Signer)
			}
			if err == nil {
				same++
			}
		}
		if most := len(data) * 2 / 3; same > most {
			t.Errorf("%s: %d of %d bytes can be bent", name, same, len(data))
		}
	}
	// What a program runs is covered to the last byte.
	data := file(t, "p64-signed.exe")
	for i := 0x200; i < 0x400; i++ {
		bent := slices.Clone(data)
		bent[i]++
		if _, err := readBytes(bent); !errors.Is(err, ErrInvalid) {
			t.Fatalf("byte %d of the code can be changed: %v", i, err)
		}
	}
}

func TestEveryCutFileIsRefused(t *testing.T) {
	for name := range signedFiles {
		data := file(t, name)
		for n := range len(data) - 512 { // a database may have room at its end
			if s, err := readBytes(data[:n]); err == nil {
				t.Fatalf("the first %d bytes of %s are signed by %s", n, name, s.Signer.Name)
			}
		}
		if _, err := readBytes(append(slices.Clone(data), 0, 0, 0, 0, 0, 0, 0, 0)); err == nil && filepath.Ext(name) == ".exe" {
			t.Errorf("%s with something behind its signature is signed", name)
		}
	}
}

// Windows' own tools are not here; osslsigncode signs real installers, large ones too.
func TestWhatOsslsigncodeSigns(t *testing.T) {
	if _, err := exec.LookPath("osslsigncode"); err != nil {
		t.Skip("needs osslsigncode")
	}
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{Organization: []string{"Makers Ltd."}}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cert := write("c.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	private := write("k.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	// A program with much behind its sections, as installers have, of every length modulo 8.
	for n := range 9 {
		program := append(file(t, "p64.exe"), bytes.Repeat([]byte("payload."), 40_000)[:300_000+n]...)
		in, out := write("in.exe", program), filepath.Join(dir, "out.exe")
		for _, hash := range []string{"sha256", "sha384", "sha512"} {
			os.Remove(out)
			if said, err := exec.Command("osslsigncode", "sign", "-certs", cert, "-key", private, "-h", hash, "-in", in, "-out", out).CombinedOutput(); err != nil {
				t.Fatalf("%s: %s", err, said)
			}
			data, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			if s, err := readBytes(data); err != nil || s.Signer.Name != "Makers Ltd." {
				t.Errorf("%d bytes more, %s: %+v, %v", n, hash, s.Signer, err)
			}
		}
	}
	databases(t, write, cert, private)
}

// databases tries installer databases with cabinets in them, where the tool that makes them is.
func databases(t *testing.T, write func(string, []byte) string, cert, private string) {
	if _, err := exec.LookPath("msibuild"); err != nil {
		t.Log("databases are tried where msitools are")
		return
	}
	noise := make([]byte, 3_000_000)
	rand.Read(noise)
	for _, size := range []int{1, 100, 4095, 4096, 70_000, len(noise)} {
		stream := write("stream.bin", noise[:size])
		path := write("new.msi", nil)
		os.Remove(path)
		if said, err := exec.Command("msibuild", path, "-a", "data.cab", stream, "-s", "Test", "Makers").CombinedOutput(); err != nil {
			t.Fatalf("%s: %s", err, said)
		}
		for _, extended := range [][]string{nil, {"-add-msi-dse"}} {
			out := filepath.Join(filepath.Dir(path), "signed.msi")
			os.Remove(out)
			args := append([]string{"sign", "-certs", cert, "-key", private, "-h", "sha256", "-in", path, "-out", out}, extended...)
			if said, err := exec.Command("osslsigncode", args...).CombinedOutput(); err != nil {
				t.Fatalf("%s: %s", err, said)
			}
			data, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			if s, err := readBytes(data); err != nil || s.Signer.Name != "Makers Ltd." {
				t.Errorf("a database with %d bytes, %v: %+v, %v", size, extended, s.Signer, err)
			}
			at := bytes.Index(data, noise[:min(size, 64)])
			if size >= 100 {
				data[at+30]++
				if _, err := readBytes(data); !errors.Is(err, ErrInvalid) {
					t.Errorf("a changed cabinet of %d bytes: %v", size, err)
				}
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	for name := range signedFiles {
		f.Add(file(f, name))
	}
	f.Add(file(f, "p.msi"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := readBytes(data)
		if err == nil && (s.Certificate == nil || len(s.Signer.Certificate) != 64 || s.Signer.Name == "") {
			t.Errorf("%+v", s)
		}
	})
}
