#include "engine.h"

/* ---- criteria: name=value joined by and, and those by or ---- */

/* matches reports whether one criterion holds; where there is no such criterion, ok is not so. */
static BOOL matches(struct record *u, const WCHAR *name, const WCHAR *value, BOOL *ok) {
  static const struct { const WCHAR *name, *key; BOOL text; } known[] = {
      {L"IsInstalled", L"installed"}, {L"IsHidden", L"hidden"}, {L"BrowseOnly", L"optional"}, {L"RebootRequired", L"pending"},
      {L"RevisionNumber", L"revision"}, {L"UpdateID", L"id", TRUE}};
  for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
    if (_wcsicmp(known[i].name, name)) continue;
    if (known[i].text) return !_wcsicmp(record_text(u, known[i].key), value);
    DWORD is = record_number(u, known[i].key), wanted = wcstoul(value, NULL, 10);
    return wcscmp(known[i].key, L"revision") ? !is == !wanted : is == wanted || record_number(u, L"loose");
  }
  return *ok = FALSE;
}

static BOOL meets(struct record *u, const WCHAR *criteria, BOOL *ok) {
  WCHAR *copy = _wcsdup(criteria), *at = copy, *rest;
  BOOL any = FALSE, all = TRUE;
  for (;;) {
    WCHAR *name = at, *value = wcschr(at, L'=');
    if (!value) {
      *ok = FALSE;
      break;
    }
    *value++ = 0;
    if (*value == L'\'') {
      at = wcschr(++value, L'\'');
      if (!at) {
        *ok = FALSE;
        break;
      }
      *at++ = 0;
    } else {
      at = value + wcsspn(value, L"0123456789");
    }
    BOOL last = !*at, either = !wcsncmp(at, L" or ", 4);
    if (!last && !either && wcsncmp(at, L" and ", 5)) {
      *ok = FALSE;
      break;
    }
    rest = last ? at : at + (either ? 4 : 5);
    *at = 0;
    all = matches(u, name, value, ok) && all;
    if (last || either) {
      any = any || all;
      all = TRUE;
    }
    if (last) break;
    at = rest;
  }
  free(copy);
  return any;
}

/* ---- searching ---- */

static const struct member warning_members[] = {{L"HResult", number, L"hresult"}, {L"Message", text, L"message"}, {0}};

static HRESULT warnings(struct object *o, const struct member *m, struct call *c) {
  struct object *all = object_new(collection_members, NULL);
  if (record_number(o->record, L"hresult")) object_append(all, object_new(warning_members, record_hold(o->record)));
  return give_object(c, all);
}

static const struct member found_members[] = {
    {L"Updates", updates}, {L"ResultCode", number, L"result"}, {L"Warnings", warnings}, {0}};

static HRESULT search(struct object *o, const struct member *m, struct call *c) {
  const WCHAR *criteria = argument_text(c, 0);
  BOOL online = record_number(o->record, L"online"), ok = TRUE;
  struct record *engine = store_engine(), *known = NULL, *result;
  struct object *found, *all;
  store_called(online ? L"search online" : L"search", record_text(o->record, L"client"), criteria);
  HRESULT hr = record_number(engine, L"fails");
  if (!hr && online) hr = record_number(engine, L"search.fails");
  if (hr) goto out;
  all = object_new(collection_members, NULL);
  for (known = store_updates(); known;) {
    struct record *u = known;
    record_unlink(&known, u);
    record_set(u, L"old", record_text(engine, L"old"));
    record_set(u, L"loose", record_text(engine, L"loose"));
    if (meets(u, criteria, &ok))
      object_append(all, update_object(u));
    else
      record_drop(u);
  }
  if (!ok || !*criteria) {
    object_drop(all);
    hr = WU_E_INVALID_CRITERIA;
    goto out;
  }
  result = record_new();
  record_set_number(result, L"result", record_number(engine, L"search.partly") ? SUCCEEDED_WITH_ERRORS : SUCCEEDED);
  record_set_number(result, L"hresult", record_number(engine, L"search.partly"));
  found = object_new(found_members, result);
  found->updates = all;
  if (online) {
    struct record *change = record_new();
    record_set_date(change, L"searched", now());
    store_change(L"engine", change);
    record_drop(change);
  }
  hr = give_object(c, found);
out:
  record_drop(engine);
  return hr;
}

/* ---- history ---- */

static HRESULT event_identity(struct object *o, const struct member *m, struct call *c) {
  return give_object(c, object_new(identity_members, record_hold(o->record)));
}

static const struct member event_members[] = {
    {L"UpdateIdentity", event_identity}, {L"Title", text, L"title"}, {L"Date", date, L"at"}, {L"Operation", number, L"operation"},
    {L"ResultCode", number, L"result"}, {L"HResult", number, L"hresult"}, {L"ClientApplicationID", text, L"client"}, {0}};

static struct object *events(void) {
  struct object *all = object_new(collection_members, NULL);
  for (struct record *list = store_history(); list;) {
    struct record *r = list;
    record_unlink(&list, r);
    object_append(all, object_new(event_members, r));
  }
  return all;
}

static HRESULT history_count(struct object *o, const struct member *m, struct call *c) {
  struct object *all = events();
  LONG n = all->count;
  object_drop(all);
  return give_number(c, n);
}

static HRESULT history(struct object *o, const struct member *m, struct call *c) {
  struct object *all = events(), *part = object_new(collection_members, NULL);
  LONG from = argument_number(c, 0), most = argument_number(c, 1);
  for (LONG n = all->count - 1 - from; n >= 0 && part->count < most; n--) { /* the newest first */
    object_hold(all->items[n]);
    object_append(part, all->items[n]);
  }
  object_drop(all);
  return give_object(c, part);
}

static const struct member searcher_members[] = {
    {L"ClientApplicationID", kept_text, L"client"}, {L"Online", kept_flag, L"online"}, {L"Search", search},
    {L"GetTotalHistoryCount", history_count}, {L"QueryHistory", history}, {0}};

/* ---- sessions ---- */

static HRESULT child(struct object *o, const struct member *members, struct call *c) {
  struct record *r = record_new();
  record_add(r, L"online", L"1");
  record_set(r, L"client", record_text(o->record, L"client"));
  return give_object(c, object_new(members, r));
}

static HRESULT searcher(struct object *o, const struct member *m, struct call *c) { return child(o, searcher_members, c); }
static HRESULT downloader(struct object *o, const struct member *m, struct call *c) { return child(o, downloader_members, c); }
static HRESULT installer(struct object *o, const struct member *m, struct call *c) { return child(o, installer_members, c); }

const struct member session_members[] = {
    {L"ClientApplicationID", kept_text, L"client"}, {L"CreateUpdateSearcher", searcher}, {L"CreateUpdateDownloader", downloader},
    {L"CreateUpdateInstaller", installer}, {0}};

/* ---- how the engine is ---- */

static HRESULT restart_required(struct object *o, const struct member *m, struct call *c) {
  struct record *pending = store_pending();
  BOOL any = pending != NULL;
  record_drop(pending);
  return give_flag(c, any);
}

const struct member system_members[] = {{L"RebootRequired", restart_required}, {0}};

static const struct member results_members[] = {
    {L"LastSearchSuccessDate", date, L"searched"}, {L"LastInstallationSuccessDate", date, L"installed"}, {0}};

static HRESULT results(struct object *o, const struct member *m, struct call *c) {
  return give_object(c, object_new(results_members, store_engine()));
}

static HRESULT enabled(struct object *o, const struct member *m, struct call *c) { return give_flag(c, TRUE); }

const struct member automatic_members[] = {{L"Results", results}, {L"ServiceEnabled", enabled}, {0}};

static const struct member service_members[] = {
    {L"Name", text, L"name"}, {L"ServiceID", text, L"id"}, {L"IsManaged", flag, L"managed"},
    {L"IsRegisteredWithAU", flag, L"registered"}, {L"IsDefaultAUService", flag, L"default", TRUE}, {0}};

static void service(struct object *all, const WCHAR *id, const WCHAR *name, BOOL managed, BOOL first, BOOL old) {
  struct record *r = record_new();
  record_add(r, L"id", id);
  record_add(r, L"name", name);
  record_set_number(r, L"managed", managed);
  record_set_number(r, L"registered", first);
  record_set_number(r, L"default", first);
  record_set_number(r, L"old", old);
  object_append(all, object_new(service_members, r));
}

static HRESULT services(struct object *o, const struct member *m, struct call *c) {
  struct object *all = object_new(collection_members, NULL);
  struct record *engine = store_engine();
  BOOL managed = record_number(engine, L"managed"), old = record_number(engine, L"old");
  record_drop(engine);
  service(all, L"9482f4b4-e343-43b6-b170-9a65bc822c77", L"Windows Update", FALSE, !managed, old);
  if (managed) service(all, L"3da21691-e39d-4da6-8a4b-b43877bcb1b7", L"Windows Server Update Service", TRUE, TRUE, old);
  return give_object(c, all);
}

const struct member services_members[] = {{L"Services", services}, {0}};

static HRESULT info(struct object *o, const struct member *m, struct call *c) {
  if (wcscmp(argument_text(c, 0), L"ProductVersionString")) return E_INVALIDARG;
  return give_text(c, L"10.0.22631.1");
}

const struct member client_members[] = {{L"GetInfo", info}, {0}};
