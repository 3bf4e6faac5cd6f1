package api

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"patchbay/server/access"
	"patchbay/window"
)

// refusedSignIn gives the kinds of refusal of access their status.
func refusedSignIn(err error) error {
	switch {
	case errors.Is(err, access.ErrCodeRequired):
		p := problem(http.StatusUnauthorized, "Enter the code from the authenticator app as well.")
		p.Type = codeRequired
		return p
	case errors.Is(err, access.ErrWrong):
		return problem(http.StatusUnauthorized, "Email, password or code is wrong.")
	case errors.Is(err, access.ErrSetupDone):
		return notFound()
	case errors.Is(err, access.ErrSetupToken):
		return wrong("token", "This set-up link is used or too old. Restart the server to get a new one.")
	case errors.Is(err, access.ErrPassword):
		return wrong("password", "A password has 12 to 200 characters: take four words.")
	case errors.Is(err, access.ErrOldPassword):
		return wrong("old", "The present password is wrong.")
	case errors.Is(err, access.ErrCode):
		return wrong("code", "The code is wrong or was used already. Wait for the next one, and check the clock of the phone.")
	case errors.Is(err, access.ErrBusy):
		p := problem(http.StatusServiceUnavailable, "Too many people sign in at this moment. Try again in a minute.")
		p.wait = 60
		return p
	case errors.Is(err, access.ErrTOTPConfirmed):
		return problem(http.StatusConflict, "A second factor is set up already.")
	}
	return err
}

// cleanName checks a name that people give: something visible, on one line.
func cleanName(field, name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" {
		return "", wrong(field, "Write a name.")
	}
	if strings.ContainsFunc(name, hides) || strings.Trim(name, "\u200c\u200d") != name {
		return "", wrong(field, "A name is one line of visible characters.")
	}
	return name, nil
}

// checkZone checks the name of a time zone.
func checkZone(field, zone string) error {
	if _, err := window.Zone(zone); err != nil {
		return wrong(field, "This time zone is not known. Write a name such as Europe/Berlin.")
	}
	return nil
}

// hours is a length in hours.
func hours(n int) time.Duration { return time.Duration(n) * time.Hour }
