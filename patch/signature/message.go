package signature

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
)

// The names of things in a signature.
var (
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidIndirectData  = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 1, 4}
	oidNested        = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 4, 1}
)

// hashes are those that are known here; the first counts for nothing.
var hashes = map[string]crypto.Hash{
	"1.3.14.3.2.26": crypto.SHA1, "2.16.840.1.101.3.4.2.1": crypto.SHA256, "2.16.840.1.101.3.4.2.2": crypto.SHA384, "2.16.840.1.101.3.4.2.3": crypto.SHA512,
}

// The bounds of what is read of a signature.
const (
	maxMessage = 1 << 20
	maxNested  = 4
)

// message is a signature as it stands in a file, taken apart and not yet checked.
type message struct {
	hash        crypto.Hash // of the file
	digest      []byte      // that the file must have
	content     []byte      // what says so
	attributes  []attribute
	signed      []byte // the attributes as they are signed
	signedWith  crypto.Hash
	signature   []byte
	certificate *x509.Certificate
}

type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"explicit,optional,tag:0"`
}

type signedData struct {
	Version      int
	Algorithms   asn1.RawValue
	Content      contentInfo
	Certificates asn1.RawValue `asn1:"optional,tag:0"`
	Revoked      asn1.RawValue `asn1:"optional,tag:1"`
	Signers      []signerInfo  `asn1:"set"`
}

type signerInfo struct {
	Version     int
	Issuer      issuerAndSerial
	Digest      pkix.AlgorithmIdentifier
	Signed      asn1.RawValue `asn1:"optional,tag:0"`
	Encryption  pkix.AlgorithmIdentifier
	Signature   []byte
	Unprotected asn1.RawValue `asn1:"optional,tag:1"`
}

type issuerAndSerial struct {
	Issuer asn1.RawValue
	Serial *big.Int
}

type attribute struct {
	Type   asn1.ObjectIdentifier
	Values asn1.RawValue `asn1:"set"`
}

type indirectData struct {
	Data   asn1.RawValue
	Digest struct {
		Algorithm pkix.AlgorithmIdentifier
		Sum       []byte
	}
}

// parse takes a signature apart, and with it those that are nested in it.
func parse(der []byte, depth int) ([]message, error) {
	if len(der) > maxMessage || depth > maxNested {
		return nil, invalid("it is larger than any that is read")
	}
	var outer contentInfo
	if _, err := asn1.Unmarshal(der, &outer); err != nil || !outer.Type.Equal(oidSignedData) {
		return nil, invalid("it has not the form of one")
	}
	var sd signedData
	if _, err := asn1.Unmarshal(outer.Content.Bytes, &sd); err != nil {
		return nil, invalid("it has not the form of one")
	}
	if !sd.Content.Type.Equal(oidIndirectData) || len(sd.Signers) != 1 {
		return nil, invalid("it is not one of a file by one signer")
	}
	m, err := sd.message()
	if err != nil {
		return nil, err
	}
	all := []message{m}
	for _, a := range attributesOf(sd.Signers[0].Unprotected.Bytes) {
		if !a.Type.Equal(oidNested) {
			continue
		}
		nested, err := parse(a.Values.Bytes, depth+1)
		if err != nil {
			return nil, err
		}
		all = append(all, nested...)
	}
	if len(all) > maxNested {
		return nil, invalid("it has more signatures than are read")
	}
	return all, nil
}

func (sd *signedData) message() (message, error) {
	var m message
	var content asn1.RawValue
	var said indirectData
	if _, err := asn1.Unmarshal(sd.Content.Content.Bytes, &content); err != nil {
		return m, invalid("it says nothing")
	}
	if _, err := asn1.Unmarshal(sd.Content.Content.Bytes, &said); err != nil {
		return m, invalid("it does not say what it signs")
	}
	s := sd.Signers[0]
	m = message{hash: hashes[said.Digest.Algorithm.Algorithm.String()], digest: said.Digest.Sum, content: content.Bytes,
		attributes: attributesOf(s.Signed.Bytes), signedWith: hashes[s.Digest.Algorithm.String()], signature: s.Signature}
	if m.hash == 0 || m.signedWith == 0 || len(s.Signed.FullBytes) == 0 {
		return m, invalid("it is made in a way that is not known here")
	}
	m.signed = bytes.Clone(s.Signed.FullBytes)
	m.signed[0] = asn1.TagSet | 0x20 // it is signed as the set that it is
	certificates, err := x509.ParseCertificates(sd.Certificates.Bytes)
	if err != nil {
		return m, invalid("its certificates cannot be read")
	}
	for _, c := range certificates {
		if bytes.Equal(c.RawIssuer, s.Issuer.Issuer.FullBytes) && s.Issuer.Serial != nil && c.SerialNumber.Cmp(s.Issuer.Serial) == 0 {
			m.certificate = c
			return m, nil
		}
	}
	return m, invalid("the certificate it was made with is not in it")
}

// attributesOf reads attributes one after the other, as far as they can be read.
func attributesOf(der []byte) []attribute {
	var all []attribute
	for len(der) > 0 && len(all) < 100 {
		var a attribute
		rest, err := asn1.Unmarshal(der, &a)
		if err != nil {
			break
		}
		all, der = append(all, a), rest
	}
	return all
}

// one is the only value of the only attribute of a type, nil where it is not so.
func (m *message) one(oid asn1.ObjectIdentifier, v any) bool {
	found := 0
	ok := false
	for _, a := range m.attributes {
		if a.Type.Equal(oid) {
			rest, err := asn1.Unmarshal(a.Values.Bytes, v)
			found, ok = found+1, err == nil && len(rest) == 0
		}
	}
	return found == 1 && ok
}

// verify checks that the certificate signed what the message says.
func (m *message) verify() error {
	var is asn1.ObjectIdentifier
	var sum []byte
	if m.signedWith == crypto.SHA1 || !m.one(oidContentType, &is) || !is.Equal(oidIndirectData) || !m.one(oidMessageDigest, &sum) {
		return invalid("what is signed does not say what it is")
	}
	h := m.signedWith.New()
	h.Write(m.content)
	if !bytes.Equal(h.Sum(nil), sum) {
		return invalid("what is signed is something else")
	}
	if err := m.certificate.CheckSignature(algorithm(m.certificate.PublicKey, m.signedWith), m.signed, m.signature); err != nil {
		return invalid("its certificate did not make it")
	}
	return nil
}
