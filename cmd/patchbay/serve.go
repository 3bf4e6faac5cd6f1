package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"patchbay/console"
	"patchbay/server"
)

// place says where an installation keeps its things.
type place struct {
	Data     string `help:"Folder for keys and the embedded database." default:"/var/lib/patchbay" env:"PATCHBAY_DATA" type:"path"`
	Database string `help:"Address of a PostgreSQL database, such as postgres://patchbay@db/patchbay. Left out, an embedded one in --data." env:"PATCHBAY_DATABASE"`
}

// serveCmd runs the server.
type serveCmd struct {
	place
	Listen       string         `help:"Where browsers reach the console." default:"127.0.0.1:8420" env:"PATCHBAY_LISTEN"`
	AgentListen  string         `help:"Where agents reach the server. Left out, port 8421 beside --listen." env:"PATCHBAY_AGENT_LISTEN"`
	PublicURL    string         `help:"The console's address as people type it, when it stands behind a proxy." env:"PATCHBAY_PUBLIC_URL"`
	AgentURL     string         `help:"The address agents are told, such as https://patchbay.example:8421." env:"PATCHBAY_AGENT_URL"`
	AlsoAgentURL []string       `name:"also-agent-url" help:"A further address at which agents look for this server when the first does not answer, such as that of a machine to restore it on. Repeat for more." env:"PATCHBAY_ALSO_AGENT_URL"`
	TLS          string         `help:"The console's certificate: own, files, acme or off. Left out, off on loopback and own elsewhere." enum:",own,files,acme,off" default:"" env:"PATCHBAY_TLS"`
	TLSCert      string         `help:"PEM file with the certificate chain, for --tls=files." type:"path" env:"PATCHBAY_TLS_CERT"`
	TLSKey       string         `help:"PEM file with its key." type:"path" env:"PATCHBAY_TLS_KEY"`
	TLSName      []string       `help:"The console's names, for --tls=acme and own." env:"PATCHBAY_TLS_NAME"`
	ACMEEmail    string         `help:"Where the certificate's issuer may write to." env:"PATCHBAY_ACME_EMAIL"`
	ACMEDir      string         `help:"Address of another ACME server." env:"PATCHBAY_ACME_DIRECTORY"`
	TrustedProxy []netip.Prefix `help:"Networks of proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8. None by default." env:"PATCHBAY_TRUSTED_PROXY"`
	Name         string         `help:"The MSP's name, as the console shows it." default:"Patchbay" env:"PATCHBAY_NAME"`
	Content      string         `help:"Folder of the files that agents install from. Left out, content in --data. Several servers on one database share it." env:"PATCHBAY_CONTENT" type:"path"`
	ContentGiB   int64          `name:"content-budget" help:"How many GiB those files may have together." default:"50" env:"PATCHBAY_CONTENT_BUDGET"`
	ContentAllow []netip.Prefix `help:"Networks that are not on the internet, and that such files may be fetched from, such as 10.20.0.0/16. None by default." env:"PATCHBAY_CONTENT_ALLOW"`
	Feeds        string         `help:"Which feeds on the world's software the server gets: public for those built in, none, or a file that says so." default:"public" env:"PATCHBAY_FEEDS" placeholder:"FILE"`
	Silent       time.Duration  `help:"After which silence a device counts as silent." default:"24h" env:"PATCHBAY_SILENT"`
	CheckIn      time.Duration  `help:"Between an agent's check-ins when nothing happens. A restarted machine is given work a little later than that." default:"1m" env:"PATCHBAY_CHECK_IN"`
	LinkFile     string         `help:"Write the one-time link that creates the first administrator to this file instead of the terminal." type:"path"`
	LogJSON      bool           `help:"Write the log as JSON lines." env:"PATCHBAY_LOG_JSON"`
}

// Run answers until it is told to stop.
func (c *serveCmd) Run(ctx context.Context) error {
	var handler slog.Handler = slog.NewTextHandler(os.Stderr, nil)
	if c.LogJSON {
		handler = slog.NewJSONHandler(os.Stderr, nil)
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("reading --listen: it must be like 127.0.0.1:8420: %w", err)
	}
	world, err := feedsOf(c.Feeds)
	if err != nil {
		return err
	}
	s, err := server.New(ctx, server.Options{Data: c.Data, Database: c.Database, Listen: c.Listen,
		AgentListen: cmp.Or(c.AgentListen, net.JoinHostPort(host, "8421")), PublicURL: c.PublicURL, AgentURL: c.AgentURL, AlsoAt: c.AlsoAgentURL,
		Certificate: server.Certificate{Mode: c.TLS, Cert: c.TLSCert, Key: c.TLSKey, Names: c.TLSName, Email: c.ACMEEmail, Directory: c.ACMEDir},
		Proxies:     c.TrustedProxy, Installation: c.Name, Version: version, Console: console.Files(), Silent: c.Silent, CheckIn: c.CheckIn,
		Content: server.Content{Path: c.Content, Budget: c.ContentGiB << 30, Allow: c.ContentAllow}, Feeds: world, Log: slog.New(handler)})
	if err != nil {
		return err
	}
	if err := c.offerSetup(ctx, s); err != nil {
		return errors.Join(err, s.Close())
	}
	return errors.Join(s.Run(ctx), s.Close())
}

// offerSetup tells the one-time link while there is no administrator. The token stands
// behind the # so that it is never sent to a server or written to a log on the way.
func (c *serveCmd) offerSetup(ctx context.Context, s *server.Server) error {
	token, err := s.Access.SetupToken(ctx)
	if err != nil || token == "" {
		return err
	}
	link := s.PublicURL + "/setup#" + token
	if c.LinkFile != "" {
		return os.WriteFile(c.LinkFile, []byte(link+"\n"), 0o600)
	}
	fmt.Printf("\nOpen this link once, within 24 hours, to create the first administrator:\n\n    %s\n\n", link)
	return nil
}

// bootstrapCmd makes a first customer, site and enrolment token before there is anybody who
// could do it in the console. It works on the machine of the server only.
type bootstrapCmd struct {
	place
	Customer string `help:"Name of the customer to make." default:"Our own machines"`
	Site     string `help:"Name of the site to make." default:"Here"`
	Zone     string `help:"Time zone of the site. Left out, this machine's own." default:""`
	AgentURL string `help:"Where agents reach the server." default:"https://127.0.0.1:8421"`
	Mode     string `help:"The most an agent enrolled with it may do." enum:"observe,manage" default:"observe"`
}

// Run makes them, unless there is a customer already, and prints the token.
func (c *bootstrapCmd) Run(ctx context.Context) error {
	token, err := server.Bootstrap(ctx, server.FirstSite{Data: c.Data, Database: c.Database, Customer: c.Customer, Site: c.Site,
		Zone: cmp.Or(c.Zone, localZone()), Mode: c.Mode, Now: time.Now()})
	if err != nil {
		return err
	}
	fmt.Println(token)
	return nil
}

// localZone is this machine's IANA zone, UTC when it does not say.
func localZone() string {
	if name, err := os.ReadFile("/etc/timezone"); err == nil {
		if _, err := time.LoadLocation(trim(name)); err == nil {
			return trim(name)
		}
	}
	if target, err := filepath.EvalSymlinks("/etc/localtime"); err == nil {
		for dir := target; len(dir) > 1; dir = filepath.Dir(dir) {
			if filepath.Base(dir) == "zoneinfo" {
				if name, err := filepath.Rel(dir, target); err == nil {
					return name
				}
			}
		}
	}
	return "UTC"
}
