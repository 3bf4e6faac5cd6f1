#include "engine.h"

#define OFFER FOLDER L"offer"     /* written by the test: the engine, then its updates */
#define STATE FOLDER L"state"
#define HISTORY FOLDER L"history"
#define CALLS FOLDER L"calls"

static struct record *with_id(struct record *list, const WCHAR *id) {
  while (list && _wcsicmp(record_text(list, L"id"), id)) list = record_next(list);
  return list;
}

DATE now(void) {
  SYSTEMTIME t;
  DATE d = 0;
  GetSystemTime(&t);
  SystemTimeToVariantTime(&t, &d);
  return d;
}

/* past says of a state that it is of another revision, of which nothing was installed. */
static BOOL past(const struct record *state, const struct record *update) {
  DWORD revision = record_number(state, L"revision");
  return revision && revision != record_number(update, L"revision") && !record_number(state, L"installed") && !record_number(state, L"pending");
}

/* offered are the engine itself and what it offers, each as its state has it. */
static struct record *offered(void) {
  struct record *all = records_read(OFFER), *states = records_read(STATE);
  if (!all) {
    all = record_new();
    record_add(all, L"id", L"engine");
  }
  for (struct record *s = states; s; s = record_next(s)) {
    struct record *r = with_id(all, record_text(s, L"id"));
    if (r && !past(s, r)) record_overlay(r, s);
  }
  record_drop(states);
  return all;
}

/* alone takes one record out of a list and drops the others. */
static struct record *alone(struct record *list, const WCHAR *id) {
  struct record *r = with_id(list, id);
  if (r) record_unlink(&list, r);
  record_drop(list);
  return r;
}

struct record *store_engine(void) { return alone(offered(), L"engine"); }

struct record *store_updates(void) {
  struct record *all = offered(), *engine = with_id(all, L"engine");
  record_unlink(&all, engine);
  record_drop(engine);
  return all;
}

struct record *store_update(const WCHAR *id) { return alone(offered(), id); }

void store_change(const WCHAR *id, const struct record *change) {
  HANDLE one = CreateMutexW(NULL, FALSE, L"BedEngineState");
  WaitForSingleObject(one, INFINITE);
  struct record *states = records_read(STATE), *r = with_id(states, id);
  if (!r) {
    r = record_new();
    record_add(r, L"id", id);
    record_link(&states, r);
  }
  record_overlay(r, change);
  records_write(STATE, states, FALSE);
  record_drop(states);
  ReleaseMutex(one);
  CloseHandle(one);
}

struct record *store_pending(void) {
  struct record *all = records_read(STATE), *pending = NULL;
  while (all) {
    struct record *r = all;
    record_unlink(&all, r);
    if (record_number(r, L"pending"))
      record_link(&pending, r);
    else
      record_drop(r);
  }
  return pending;
}

static void append(const WCHAR *path, struct record *r) {
  records_write(path, r, TRUE);
  record_drop(r);
}

void store_called(const WCHAR *what, const WCHAR *client, const WCHAR *words) {
  struct record *r = record_new();
  record_add(r, L"what", what);
  record_add(r, L"client", client);
  record_add(r, L"words", words);
  append(CALLS, r);
}

void store_done(const struct record *update, const WCHAR *client, BOOL removal, int result, DWORD hresult) {
  struct record *r = record_new();
  record_add(r, L"id", record_text(update, L"id"));
  record_add(r, L"revision", record_text(update, L"revision"));
  record_add(r, L"title", record_text(update, L"title"));
  record_add(r, L"client", client);
  record_set_date(r, L"at", now());
  record_set_number(r, L"operation", removal ? 2 : 1);
  record_set_number(r, L"result", result);
  record_set_number(r, L"hresult", hresult);
  append(HISTORY, r);
}

struct record *store_history(void) { return records_read(HISTORY); }

/* Whoever installs has the mutex; with its process ends what it did. */
BOOL store_busy(const struct record *engine, HANDLE *mine) {
  HANDLE one = CreateMutexW(NULL, FALSE, L"BedEngineInstalls");
  BOOL busy = record_number(engine, L"busy") || WaitForSingleObject(one, 0) == WAIT_TIMEOUT;
  if (!busy && mine) {
    *mine = one;
    return FALSE;
  }
  if (!busy) ReleaseMutex(one);
  CloseHandle(one);
  return busy;
}
