#include "engine.h"

struct object *update_object(struct record *r) { return object_new(update_members, r); }

static HRESULT identity(struct object *o, const struct member *m, struct call *c) {
  return give_object(c, object_new(identity_members, record_hold(o->record)));
}

const struct member identity_members[] = {{L"UpdateID", text, L"id"}, {L"RevisionNumber", number, L"revision"}, {0}};

static const struct member category_members[] = {
    {L"CategoryID", text, L"id"}, {L"Type", text, L"type"}, {L"Name", text, L"name"}, {0}};

/* A category is written as ID|type|name. */
static HRESULT categories(struct object *o, const struct member *m, struct call *c) {
  struct object *all = object_new(collection_members, NULL);
  const WCHAR *written;
  for (int n = 0; (written = record_nth(o->record, m->key, n)); n++) {
    struct record *r = record_new();
    WCHAR *copy = _wcsdup(written), *type = wcschr(copy, L'|'), *name = type ? wcschr(type + 1, L'|') : NULL;
    if (name) {
      *type++ = *name++ = 0;
      record_add(r, L"id", copy);
      record_add(r, L"type", type);
      record_add(r, L"name", name);
    }
    free(copy);
    object_append(all, object_new(category_members, r));
  }
  return give_object(c, all);
}

static const struct member behaviour_members[] = {
    {L"RebootBehavior", number, L"reboot"}, {L"CanRequestUserInput", flag, L"asks"}, {L"Impact", number, L"impact"},
    {L"RequiresNetworkConnectivity", flag, L"network"}, {0}};

static HRESULT behaviour(struct object *o, const struct member *m, struct call *c) {
  return give_object(c, object_new(behaviour_members, record_hold(o->record)));
}

static HRESULT size(struct object *o, const struct member *m, struct call *c) {
  DECIMAL d;
  HRESULT hr = VarDecFromStr((WCHAR *)record_text(o->record, m->key), LOCALE_INVARIANT, 0, &d);
  if (FAILED(hr)) VarDecFromI4(0, &d);
  V_DECIMAL(c->result) = d;
  V_VT(c->result) = VT_DECIMAL;
  return S_OK;
}

static HRESULT kind(struct object *o, const struct member *m, struct call *c) {
  return give_number(c, record_number(o->record, m->key) ? 2 : 1); /* utDriver, utSoftware */
}

static HRESULT agreed(struct object *o, const struct member *m, struct call *c) {
  return give_flag(c, !*record_text(o->record, L"eula") || record_number(o->record, m->key));
}

static HRESULT change(struct object *o, const WCHAR *key, DWORD value) {
  struct record *r = record_new();
  record_set_number(r, key, value);
  store_change(record_text(o->record, L"id"), r);
  record_overlay(o->record, r);
  record_drop(r);
  return S_OK;
}

static HRESULT agree(struct object *o, const struct member *m, struct call *c) { return change(o, m->key, 1); }

static HRESULT hidden(struct object *o, const struct member *m, struct call *c) {
  return c->put ? change(o, m->key, !!argument_number(c, 0)) : flag(o, m, c);
}

const struct member update_members[] = {
    {L"Identity", identity},
    {L"Title", text, L"title"},
    {L"Description", text, L"description"},
    {L"KBArticleIDs", list, L"kb"},
    {L"SecurityBulletinIDs", list, L"bulletin"},
    {L"SupersededUpdateIDs", list, L"supersedes"},
    {L"MsrcSeverity", text, L"severity"},
    {L"Categories", categories, L"category"},
    {L"MaxDownloadSize", size, L"size"},
    {L"LastDeploymentChangeTime", date, L"changed"},
    {L"Deadline", date, L"deadline"},
    {L"IsDownloaded", flag, L"downloaded"},
    {L"IsInstalled", flag, L"installed"},
    {L"IsHidden", hidden, L"hidden"},
    {L"IsMandatory", flag, L"mandatory"},
    {L"IsBeta", flag, L"beta"},
    {L"IsUninstallable", flag, L"removable"},
    {L"AutoSelectOnWebSites", flag, L"chosen"},
    {L"EulaText", text, L"eula"},
    {L"EulaAccepted", agreed, L"agreed"},
    {L"AcceptEula", agree, L"agreed"},
    {L"InstallationBehavior", behaviour},
    {L"UninstallationBehavior", behaviour},
    {L"Type", kind, L"driver"},
    /* IUpdate2, 3 and 5 */
    {L"CveIDs", list, L"cve", TRUE},
    {L"RebootRequired", flag, L"pending", TRUE},
    {L"BrowseOnly", flag, L"optional", TRUE},
    {L"AutoSelection", number, L"selection", TRUE},
    /* IWindowsDriverUpdate */
    {L"DriverClass", text, L"driver.class"},
    {L"DriverHardwareID", text, L"driver.hardware"},
    {L"DriverManufacturer", text, L"driver.manufacturer"},
    {L"DriverModel", text, L"driver.model"},
    {L"DriverProvider", text, L"driver.provider"},
    {L"DriverVerDate", date, L"driver.date"},
    {0}};
