#include "engine.h"

#define PACKAGES L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages\\"
#define RESTART L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update\\RebootRequired"
#define AT_START L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\RunOnce"

enum verb { DOWNLOAD, INSTALL, UNINSTALL };
static const WCHAR *const verbs[] = {L"download", L"install", L"uninstall"};

/* States of a package in the component store. */
enum { UNINSTALL_PENDING = 5, STAGED = 0x40, INSTALL_PENDING = 0x60, INSTALLED = 0x70 };

static void set_dword(const WCHAR *path, const WCHAR *name, DWORD value) {
  RegSetKeyValueW(HKEY_LOCAL_MACHINE, path, name, REG_DWORD, &value, sizeof value);
}

/* ---- effects: packages of the component store, and values of the registry ---- */

static void packages(const struct record *u, DWORD state) {
  const WCHAR *name;
  for (int n = 0; (name = record_nth(u, L"package", n)); n++) {
    WCHAR path[512];
    swprintf(path, 512, PACKAGES L"%ls", name);
    if (state)
      set_dword(path, L"CurrentState", state);
    else
      RegDeleteKeyW(HKEY_LOCAL_MACHINE, path);
  }
}

/* value writes PATH|NAME|dword or sz|TEXT below HKLM and gives what was there, in the same form;
   without a kind it is taken away. */
static void value(const WCHAR *written, WCHAR *was, size_t room) {
  WCHAR *copy = _wcsdup(written), *name = wcschr(copy, L'|'), *kind = name ? wcschr(name + 1, L'|') : NULL, *text = kind ? wcschr(kind + 1, L'|') : NULL;
  if (text) {
    BYTE old[512] = {0};
    DWORD type = 0, size = sizeof old - 2;
    *name++ = *kind++ = *text++ = 0;
    if (RegGetValueW(HKEY_LOCAL_MACHINE, copy, name, RRF_RT_DWORD | RRF_RT_REG_SZ, &type, old, &size)) type = REG_NONE;
    if (type == REG_DWORD) swprintf(was, room, L"%ls|%ls|dword|%lu", copy, name, *(DWORD *)old);
    if (type == REG_SZ) swprintf(was, room, L"%ls|%ls|sz|%ls", copy, name, (WCHAR *)old);
    if (type == REG_NONE) swprintf(was, room, L"%ls|%ls||", copy, name);
    if (!wcscmp(kind, L"dword")) set_dword(copy, name, wcstoul(text, NULL, 0));
    if (!wcscmp(kind, L"sz")) RegSetKeyValueW(HKEY_LOCAL_MACHINE, copy, name, REG_SZ, text, (wcslen(text) + 1) * sizeof *text);
    if (!*kind) RegDeleteKeyValueW(HKEY_LOCAL_MACHINE, copy, name);
  }
  free(copy);
}

static void apply(struct record *u) {
  const WCHAR *written;
  packages(u, INSTALLED);
  record_set(u, L"was", L"");
  for (int n = 0; (written = record_nth(u, L"set", n)); n++) {
    WCHAR was[1024] = L"";
    value(written, was, 1024);
    record_add(u, L"was", was);
  }
}

static void take_back(struct record *u) {
  const WCHAR *written;
  packages(u, 0);
  for (int n = 0; (written = record_nth(u, L"was", n)); n++) {
    WCHAR now[1024];
    value(written, now, 1024);
  }
  record_set(u, L"was", L"");
}

/* ---- one update ---- */

static BOOL does(const struct record *u, const WCHAR *misdeed) { return !wcscmp(record_text(u, L"does"), misdeed); }

/* hang waits until the test says to go on, as its installers do. */
static void hang(void) {
  CloseHandle(CreateFileW(L"C:\\bed\\started", GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL));
  while (GetFileAttributesW(L"C:\\bed\\go-on") == INVALID_FILE_ATTRIBUTES) Sleep(10);
}

/* first_time says so once in the life of a Windows. */
static BOOL first_time(void) {
  HANDLE file = CreateFileW(L"C:\\bed\\crashed", GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
  return file != INVALID_HANDLE_VALUE && CloseHandle(file);
}

static BOOL restarts(const struct record *u) {
  DWORD behaviour = record_number(u, L"reboot");
  return behaviour == 1 || (behaviour == 2 && record_number(u, L"restarts"));
}

/* keep writes down in which state an update is, with what a restart will need of it. */
static void keep(struct record *u, DWORD pending) {
  static const WCHAR *const kept[] = {L"revision", L"title", L"installed", L"downloaded", L"package", L"set", L"was", L"does", L"client"};
  struct record *change = record_new();
  record_set_number(u, L"pending", pending);
  record_set_number(change, L"pending", pending);
  for (unsigned i = 0; i < sizeof kept / sizeof *kept; i++) {
    const WCHAR *text;
    for (int n = 0; (text = record_nth(u, kept[i], n)); n++) record_add(change, kept[i], text);
    if (!record_nth(u, kept[i], 0)) record_add(change, kept[i], L"");
  }
  store_change(record_text(u, L"id"), change);
  record_drop(change);
}

static void want_restart(const struct record *u) {
  static const WCHAR then[] = L"rundll32.exe C:\\bed\\engine.dll,CompleteAfterRestart";
  set_dword(RESTART, record_text(u, L"id"), 1);
  RegSetKeyValueW(HKEY_LOCAL_MACHINE, AT_START, L"BedEngine", REG_SZ, then, sizeof then);
}

static DWORD download(struct record *u) {
  DWORD hr = record_number(u, L"download");
  if (does(u, L"hang download")) hang();
  if (hr) return hr;
  record_set_number(u, L"downloaded", 1);
  keep(u, record_number(u, L"pending"));
  return 0;
}

static DWORD install(struct record *u) {
  if (*record_text(u, L"eula") && !record_number(u, L"agreed")) return WU_E_EULAS_DECLINED;
  if (!record_number(u, L"downloaded")) return WU_E_DM_NOTDOWNLOADED;
  if (does(u, L"hang")) hang();
  if (record_number(u, L"install")) return record_number(u, L"install");
  if (does(u, L"crash") || (does(u, L"crash once") && first_time())) {
    packages(u, STAGED);
    store_done(u, record_text(u, L"client"), FALSE, IN_PROGRESS, 0);
    TerminateProcess(GetCurrentProcess(), 0xC0000005);
  }
  if (record_number(u, L"partly")) return 0;
  record_set_number(u, L"installed", 1);
  if (!restarts(u)) {
    if (!does(u, L"lie")) apply(u);
    keep(u, 0);
    return 0;
  }
  record_set_number(u, L"installed", !record_number(u, L"late"));
  if (!does(u, L"lie")) packages(u, INSTALL_PENDING);
  keep(u, 1);
  want_restart(u);
  return 0;
}

static DWORD uninstall(struct record *u) {
  if (!record_number(u, L"removable")) return WU_E_UNINSTALL_NOT_ALLOWED;
  if (record_number(u, L"uninstall")) return record_number(u, L"uninstall");
  record_set_number(u, L"installed", 0);
  if (restarts(u)) {
    if (!does(u, L"lie")) packages(u, UNINSTALL_PENDING);
    keep(u, 2);
    want_restart(u);
    return 0;
  }
  if (!does(u, L"lie")) take_back(u);
  keep(u, 0);
  return 0;
}

void complete_after_restart(void) {
  for (struct record *list = store_pending(); list;) {
    struct record *u = list;
    record_unlink(&list, u);
    BOOL removal = record_number(u, L"pending") == 2;
    if (does(u, L"undo") && !removal) {
      packages(u, 0);
      record_set_number(u, L"installed", 0);
      store_done(u, record_text(u, L"client"), FALSE, NOT_DONE, 0x800F0922);
    } else {
      record_set_number(u, L"installed", !removal);
      if (!does(u, L"lie")) (removal ? take_back : apply)(u);
    }
    keep(u, 0);
    record_drop(u);
  }
  RegDeleteKeyW(HKEY_LOCAL_MACHINE, RESTART);
}

/* ---- all of a collection ---- */

static const struct member one_result_members[] = {
    {L"ResultCode", number, L"result"}, {L"HResult", number, L"hresult"}, {L"RebootRequired", flag, L"pending"}, {0}};

static HRESULT update_result(struct object *o, const struct member *m, struct call *c) {
  LONG n = argument_number(c, 0);
  if (n < 0 || n >= o->count) return DISP_E_BADINDEX;
  object_hold(o->items[n]);
  return give_object(c, o->items[n]);
}

static const struct member result_members[] = {
    {L"ResultCode", number, L"result"}, {L"HResult", number, L"hresult"}, {L"RebootRequired", flag, L"pending"},
    {L"GetUpdateResult", update_result}, {0}};

/* work_on does it with one update, as the engine knows it now. */
static struct record *work_on(struct object *o, enum verb verb, const WCHAR *id) {
  static DWORD (*const todo[])(struct record *) = {download, install, uninstall};
  struct record *u = store_update(id), *result = record_new();
  int code = SUCCEEDED;
  DWORD hr = WU_E_NO_UPDATE;
  if (u) {
    record_set(u, L"client", record_text(o->record, L"client"));
    hr = todo[verb](u);
  }
  if (u && !hr && verb == INSTALL && record_number(u, L"partly")) {
    hr = record_number(u, L"partly");
    code = SUCCEEDED_WITH_ERRORS;
  } else if (hr) {
    code = NOT_DONE;
  }
  record_set_number(result, L"result", code);
  record_set_number(result, L"hresult", hr);
  record_set_number(result, L"pending", u && verb != DOWNLOAD && record_number(u, L"pending"));
  if (u && verb != DOWNLOAD) store_done(u, record_text(o->record, L"client"), verb == UNINSTALL, code, hr);
  record_drop(u);
  return result;
}

static void tell(struct object *o, enum verb verb) {
  WCHAR words[1024];
  int used = swprintf(words, 1024, L"quiet=%lu prompts=%lu forced=%lu", record_number(o->record, L"quiet"), record_number(o->record, L"prompts"),
                      record_number(o->record, L"forced"));
  for (int n = 0; o->updates && n < o->updates->count && used > 0 && used < 900; n++)
    used += swprintf(words + used, 1024 - used, L" %ls", record_text(o->updates->items[n]->record, L"id"));
  store_called(verbs[verb], record_text(o->record, L"client"), words);
}

static HRESULT work(struct object *o, enum verb verb, struct call *c) {
  struct record *engine = store_engine(), *total = record_new(), *stamp;
  HANDLE mine = NULL;
  HRESULT hr = record_number(engine, L"fails");
  int good = 0, bad = 0;
  tell(o, verb);
  if (!hr && (!o->updates || !o->updates->count)) hr = WU_E_NO_UPDATE;
  if (!hr && verb != DOWNLOAD && store_busy(engine, &mine)) hr = WU_E_OPERATIONINPROGRESS;
  record_drop(engine);
  if (hr) {
    record_drop(total);
    return hr;
  }
  struct object *all = object_new(result_members, total);
  for (int n = 0; n < o->updates->count; n++) {
    struct record *r = work_on(o, verb, record_text(o->updates->items[n]->record, L"id"));
    if (record_number(r, L"result") == SUCCEEDED) good++; else bad++;
    if (record_number(r, L"pending")) record_set_number(total, L"pending", 1);
    object_append(all, object_new(one_result_members, r));
  }
  record_set_number(total, L"result", !bad ? SUCCEEDED : good ? SUCCEEDED_WITH_ERRORS : NOT_DONE);
  if (good && verb == INSTALL) {
    stamp = record_new();
    record_set_date(stamp, L"installed", now());
    store_change(L"engine", stamp);
    record_drop(stamp);
  }
  if (mine) {
    ReleaseMutex(mine);
    CloseHandle(mine);
  }
  return give_object(c, all);
}

static HRESULT do_download(struct object *o, const struct member *m, struct call *c) { return work(o, DOWNLOAD, c); }
static HRESULT do_install(struct object *o, const struct member *m, struct call *c) { return work(o, INSTALL, c); }
static HRESULT do_uninstall(struct object *o, const struct member *m, struct call *c) { return work(o, UNINSTALL, c); }

static HRESULT busy(struct object *o, const struct member *m, struct call *c) {
  struct record *engine = store_engine();
  BOOL is = store_busy(engine, NULL);
  record_drop(engine);
  return give_flag(c, is);
}

static HRESULT restart_first(struct object *o, const struct member *m, struct call *c) {
  struct record *engine = store_engine();
  BOOL is = record_number(engine, L"restart.first");
  record_drop(engine);
  return give_flag(c, is);
}

const struct member downloader_members[] = {
    {L"ClientApplicationID", kept_text, L"client"}, {L"Updates", updates}, {L"Download", do_download}, {0}};

const struct member installer_members[] = {
    {L"ClientApplicationID", kept_text, L"client"},
    {L"Updates", updates},
    {L"ForceQuiet", kept_flag, L"quiet"},
    {L"AllowSourcePrompts", kept_flag, L"prompts"},
    {L"IsForced", kept_flag, L"forced"},
    {L"IsBusy", busy},
    {L"RebootRequiredBeforeInstallation", restart_first},
    {L"Install", do_install},
    {L"Uninstall", do_uninstall},
    {0}};
