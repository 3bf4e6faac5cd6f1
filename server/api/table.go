package api

import (
	"net/http"
)

// routes is the whole API.
func routes() []route { return append(installation(), known()...) }

// known are the routes to what the world says of what is installed.
func known() []route {
	return []route{
		handle("GET /findings", staff, "findings-list", "List what is open, by CVE", (*Server).findings),
		handle("GET /findings/{finding}", staff, "findings-show", "Say who is exposed to a CVE", (*Server).finding),
		handle("GET /bulletins", staff, "bulletins-list", "List what is news of feeds, and whom it touches", (*Server).bulletins),
		handle("GET /bulletins/{bulletin}", staff, "bulletins-show", "Say whom a bulletin touches", (*Server).bulletin),
		handle("GET /support", staff, "support-list", "List what is out of support, or will be", (*Server).support),
		handle("GET /support/summary", staff, "support-summary", "Say how it stands with ends of support, and what ends when", (*Server).supportSummary),
		handle("GET /support/devices", staff, "support-devices", "List the devices that have something of a line of releases", (*Server).supportDevices),
		handle("GET /coverage", staff, "coverage-list", "List what is looked at for advisories, and what is not", (*Server).coverage),
		handle("GET /coverage/summary", staff, "coverage-summary", "Say how much of everything is looked at", (*Server).coverageSummary),
		handle("GET /software/unattended", staff, "software-unattended", "List items that nobody updates", (*Server).unattended),
		handle("GET /software/unattended/summary", staff, "software-unattended-summary", "Count what nobody updates", (*Server).unattendedSummary),
		handle("GET /software/unattended/devices", staff, "software-unattended-devices", "List the devices that have such an item", (*Server).unattendedDevices),
		handle("GET /software/several", staff, "software-several", "List purposes for which there are several programs", (*Server).several),
		handle("GET /software/several/devices", staff, "software-several-devices", "List the devices that have several programs for a purpose", (*Server).severalDevices),
		handle("GET /products/{product}", staff, "products-show", "Say what is known of a product, also of one that no device has", (*Server).product),
		handle("GET /feeds", staff, "feeds-list", "List the feeds that the server knows the world by", (*Server).feeds),
		handle("PUT /feeds/bundle", staff, "feeds-import", "Bring a signed bundle of feeds", (*Server).importFeeds).streamed(),
		handle("POST /feeds/{feed}/accept", staff, "feeds-accept", "Let the version in that is held", (*Server).acceptFeed),
		handle("POST /feeds/{feed}/fetch", staff, "feeds-fetch", "Have a feed looked for at once", (*Server).fetchFeed).answering(http.StatusAccepted),
	}
}

// installation are the routes to everything of the installation itself.
func installation() []route {
	return []route{
		handle("GET /session", anyone, "session-show", "Who is signed in", (*Server).session),
		handle("POST /session", anyone, "session-open", "Sign in", (*Server).signIn),
		handle("DELETE /session", anyone, "session-close", "Sign out", (*Server).signOut).answering(http.StatusNoContent),
		handle("POST /setup", anyone, "session-setup", "Create the first administrator", (*Server).setup),
		handle("POST /me/totp", signedIn, "me-totp-prepare", "Prepare a second factor", (*Server).newTOTP),
		handle("PUT /me/totp", signedIn, "me-totp-confirm", "Confirm the second factor", (*Server).confirmTOTP),
		handle("GET /me/keys", staff, "me-keys-list", "List my API keys", (*Server).keys),
		handle("POST /me/password", inPerson, "me-password-change", "Change my password", (*Server).changePassword),
		handle("POST /me/keys", inPerson, "me-keys-create", "Make an API key", (*Server).newKey).answering(http.StatusCreated),
		handle("DELETE /me/keys/{key}", staff, "me-keys-revoke", "Revoke an API key", (*Server).revokeKey).answering(http.StatusNoContent),

		handle("GET /overview", staff, "overview-show", "How things stand", (*Server).overview),
		handle("GET /customers", staff, "customers-list", "List customers", (*Server).customers),
		handle("POST /customers", staff, "customers-create", "Make a customer", (*Server).newCustomer).answering(http.StatusCreated),
		handle("GET /customers/{customer}", staff, "customers-show", "Show a customer", (*Server).customer),
		handle("PATCH /customers/{customer}", staff, "customers-change", "Change a customer", (*Server).changeCustomer),
		handle("POST /customers/{customer}/sites", staff, "sites-create", "Make a site", (*Server).newSite).answering(http.StatusCreated),
		handle("GET /customers/{customer}/attributes", staff, "customers-attributes", "What was said of all devices of a customer", (*Server).customerAttributes),
		handle("PATCH /customers/{customer}/attributes", staff, "customers-say", "Say who reaches all devices of a customer, and how much depends on them", (*Server).changeCustomerAttributes),
		handle("POST /customers/{customer}/groups", staff, "groups-create", "Make a group of devices", (*Server).newGroup).answering(http.StatusCreated),
		handle("GET /groups", staff, "groups-list", "List groups of devices, by customer and rank", (*Server).groups),
		handle("PATCH /groups/{group}", staff, "groups-change", "Rename or rank a group", (*Server).changeGroup),
		handle("DELETE /groups/{group}", staff, "groups-delete", "Delete a group; its devices stay", (*Server).deleteGroup).answering(http.StatusNoContent),
		handle("GET /sites", staff, "sites-list", "List sites", (*Server).sites),
		handle("GET /sites/{site}", staff, "sites-show", "Show a site", (*Server).site),
		handle("PATCH /sites/{site}", staff, "sites-change", "Change a site and its policy", (*Server).changeSite),
		handle("GET /sites/{site}/attributes", staff, "sites-attributes", "What was said of all devices of a site", (*Server).siteAttributes),
		handle("PATCH /sites/{site}/attributes", staff, "sites-say", "Say who reaches all devices of a site, and how much depends on them", (*Server).changeSiteAttributes),
		handle("POST /sites/{site}/tokens", staff, "tokens-create", "Make an enrolment token", (*Server).newToken).answering(http.StatusCreated),
		handle("GET /tokens", staff, "tokens-list", "List enrolment tokens", (*Server).tokens),
		handle("DELETE /tokens/{token}", staff, "tokens-revoke", "Revoke an enrolment token", (*Server).revokeToken).answering(http.StatusNoContent),

		handle("GET /devices", staff, "devices-list", "List devices", (*Server).devices),
		handle("POST /devices/change", staff, "devices-say", "Say what devices are for, who reaches them, how much depends on them, and their groups", (*Server).changeDevices),
		handle("GET /devices/{device}", staff, "devices-show", "Show a device", (*Server).device),
		handle("PATCH /devices/{device}", staff, "devices-change", "Rename a device", (*Server).changeDevice),
		handle("DELETE /devices/{device}", staff, "devices-retire", "Retire a device", (*Server).retireDevice).answering(http.StatusNoContent),
		handle("POST /devices/{device}/checkin", staff, "devices-checkin", "Ask a device to scan and check in now", (*Server).checkIn).answering(http.StatusAccepted),
		handle("GET /devices/{device}/needs", staff, "devices-needs", "List a device's needs", (*Server).deviceNeeds),
		handle("GET /devices/{device}/items", staff, "devices-items", "List what is installed on a device", (*Server).items),
		handle("GET /devices/{device}/findings", staff, "devices-findings", "List what advisories affect on a device", (*Server).deviceFindings),
		handle("GET /devices/{device}/support", staff, "devices-support", "Say for how long what a device has is supported", (*Server).deviceSupport),
		handle("GET /devices/{device}/history", staff, "devices-history", "What the managers on a device say they did", (*Server).history),
		handle("GET /devices/{device}/timeline", staff, "devices-timeline", "What happened to a device", (*Server).timeline),
		handle("GET /devices/{device}/story", staff, "devices-story", "All that happened to a device, with its receipts", (*Server).story),
		handle("GET /devices/{device}/jobs", staff, "devices-jobs", "List a device's jobs", (*Server).deviceJobs),

		handle("GET /needs", staff, "needs-list", "List needs", (*Server).needs),
		handle("GET /needs/{need}", staff, "needs-show", "Show a need and its chain", (*Server).need),
		handle("POST /needs/{need}/retry", staff, "needs-retry", "Try a failed one again", (*Server).retry).answering(http.StatusAccepted),
		handle("GET /updates", staff, "updates-list", "List updates over all devices", (*Server).updates),
		handle("GET /classes", staff, "classes-list", "Count updates by what they are for", (*Server).classes),
		handle("GET /updates/{update}", staff, "updates-show", "Show where an update stands", (*Server).update),
		handle("GET /updates/{update}/story", staff, "updates-story", "All that happened around an update, with its receipts", (*Server).updateStory),

		handle("POST /approvals/preview", staff, "approvals-preview", "Say what an answer would do", (*Server).previewApproval),
		handle("POST /approvals", staff, "approvals-create", "Approve or reject", (*Server).approve).answering(http.StatusCreated),
		handle("GET /approvals", staff, "approvals-list", "List answers", (*Server).approvals),
		handle("DELETE /approvals/{approval}", staff, "approvals-withdraw", "Withdraw an answer", (*Server).withdraw).answering(http.StatusNoContent),
		handle("GET /jobs", staff, "jobs-list", "List jobs", (*Server).jobs),
		handle("GET /jobs/{job}", staff, "jobs-show", "Show a job, its outcomes and its receipt", (*Server).job),
		handle("GET /jobs/{job}/receipt", staff, "jobs-receipt", "Get a job's receipt as the agent signed it", (*Server).jobReceipt),
		handle("GET /trust", staff, "trust-show", "Who may sign what, and what agents are held to", (*Server).trust),
		handle("POST /trust/documents", staff, "trust-publish", "Publish a document that was signed elsewhere", (*Server).publish).answering(http.StatusCreated),
		handle("POST /trust/approvals/draft", staff, "trust-draft", "Draft an approval for approvers to sign", (*Server).draftApproval),

		handle("GET /catalog", staff, "catalog-show", "The signed catalogue of what may be installed", (*Server).catalog),
		handle("GET /catalog/packages", staff, "catalog-packages", "List what may be installed", (*Server).packages),
		handle("GET /catalog/packages/{provider}/{package}", staff, "catalog-package", "Show a package with its releases and installers", (*Server).onePackage),
		handle("GET /catalog/missing", staff, "catalog-missing", "List installers of the catalogue whose files are not in the store", (*Server).missingFiles),

		handle("GET /content", staff, "content-list", "List the files that agents install from", (*Server).contents),
		handle("GET /content/usage", staff, "content-usage", "Say how much content there is", (*Server).contentUsage),
		handle("GET /content/fetches", staff, "content-fetches", "List what the server fetches by itself", (*Server).contentFetches),
		handle("GET /content/{sha256}", staff, "content-show", "Show a file", (*Server).oneContent),
		handle("PUT /content/{sha256}", staff, "content-add", "Add a file", (*Server).addContent).answering(http.StatusCreated).streamed(),
		handle("DELETE /content/{sha256}", staff, "content-remove", "Remove a file that nothing needs", (*Server).removeContent).answering(http.StatusNoContent),
		handle("POST /content/{sha256}/fetch", staff, "content-fetch", "Have the server fetch a file", (*Server).fetchContent).answering(http.StatusAccepted),

		handle("GET /activity", staff, "activity-list", "Who did what", (*Server).activity),
		handle("GET /activity/verify", staff, "activity-verify", "Check the audit chains", (*Server).verifyActivity),
		handle("GET /events", staff, "events-stream", "Hear of changes as they happen", (*Server).events),
	}
}
