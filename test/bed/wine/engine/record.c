#include "engine.h"

struct field { WCHAR *key, *value; struct field *next; };
struct record { LONG refs; struct field *first; struct record *next; };

struct record *record_new(void) {
  struct record *r = calloc(1, sizeof *r);
  r->refs = 1;
  return r;
}

struct record *record_hold(struct record *r) {
  InterlockedIncrement(&r->refs);
  return r;
}

static void field_free(struct field *f) {
  free(f->key);
  free(f->value);
  free(f);
}

void record_drop(struct record *r) {
  while (r && !InterlockedDecrement(&r->refs)) {
    struct record *next = r->next;
    for (struct field *f = r->first, *after; f; f = after) {
      after = f->next;
      field_free(f);
    }
    free(r);
    r = next;
  }
}

struct record *record_next(struct record *r) { return r->next; }

void record_link(struct record **list, struct record *r) {
  while (*list) list = &(*list)->next;
  *list = r;
}

void record_unlink(struct record **list, struct record *r) {
  while (*list && *list != r) list = &(*list)->next;
  if (!*list) return;
  *list = r->next;
  r->next = NULL;
}

static struct field **find(const struct record *r, const WCHAR *key, int n) {
  struct field **at = (struct field **)&r->first;
  for (; *at; at = &(*at)->next)
    if (!wcscmp((*at)->key, key) && !n--) break;
  return at;
}

void record_add(struct record *r, const WCHAR *key, const WCHAR *value) {
  struct field **at = &r->first, *f = calloc(1, sizeof *f);
  while (*at) at = &(*at)->next;
  f->key = _wcsdup(key);
  f->value = _wcsdup(value);
  *at = f;
}

void record_set(struct record *r, const WCHAR *key, const WCHAR *value) {
  for (struct field **at = find(r, key, 0), *f; (f = *at); at = find(r, key, 0)) {
    *at = f->next;
    field_free(f);
  }
  if (*value) record_add(r, key, value);
}

void record_set_number(struct record *r, const WCHAR *key, DWORD value) {
  WCHAR text[16];
  swprintf(text, 16, L"%lu", value);
  record_set(r, key, text);
}

void record_set_date(struct record *r, const WCHAR *key, DATE value) {
  WCHAR text[32];
  swprintf(text, 32, L"%.8f", value);
  record_set(r, key, text);
}

void record_overlay(struct record *to, const struct record *from) {
  for (struct field *f = from->first; f; f = f->next) record_set(to, f->key, L"");
  for (struct field *f = from->first; f; f = f->next)
    if (*f->value) record_add(to, f->key, f->value);
}

const WCHAR *record_nth(const struct record *r, const WCHAR *key, int n) {
  struct field *f = *find(r, key, n);
  return f ? f->value : NULL;
}

const WCHAR *record_text(const struct record *r, const WCHAR *key) {
  const WCHAR *value = record_nth(r, key, 0);
  return value ? value : L"";
}

DWORD record_number(const struct record *r, const WCHAR *key) { return wcstoul(record_text(r, key), NULL, 0); }

/* A file has a line "key TAB value" for each field, in UTF-8, and an empty one behind each record. */
static WCHAR *read_all(const WCHAR *path) {
  HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, 0, NULL);
  if (file == INVALID_HANDLE_VALUE) return NULL;
  DWORD size = GetFileSize(file, NULL), got = 0;
  char *bytes = malloc(size + 1);
  if (!ReadFile(file, bytes, size, &got, NULL)) got = 0;
  CloseHandle(file);
  int length = MultiByteToWideChar(CP_UTF8, 0, bytes, got, NULL, 0);
  WCHAR *all = calloc(length + 1, sizeof *all);
  MultiByteToWideChar(CP_UTF8, 0, bytes, got, all, length);
  free(bytes);
  return all;
}

struct record *records_read(const WCHAR *path) {
  struct record *all = NULL, *r = NULL, **end = &all;
  struct field **last = NULL;
  WCHAR *text = read_all(path);
  for (WCHAR *line = text, *next; line && *line; line = next) {
    next = line + wcscspn(line, L"\n");
    if (*next) *next++ = 0;
    WCHAR *value = wcschr(line, L'\t');
    if (!value) {
      r = NULL;
      continue;
    }
    *value++ = 0;
    if (!r) {
      r = *end = record_new();
      end = &r->next;
      last = &r->first;
    }
    *last = calloc(1, sizeof **last);
    (*last)->key = _wcsdup(line);
    (*last)->value = _wcsdup(value);
    last = &(*last)->next;
  }
  free(text);
  return all;
}

static void put_utf8(FILE *f, const WCHAR *text, char behind) {
  int size = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
  char *bytes = malloc(size);
  WideCharToMultiByte(CP_UTF8, 0, text, -1, bytes, size, NULL, NULL);
  fputs(bytes, f);
  fputc(behind, f);
  free(bytes);
}

/* A file that is not appended to is there whole, or as it was. */
BOOL records_write(const WCHAR *path, struct record *list, BOOL append) {
  WCHAR part[MAX_PATH];
  swprintf(part, MAX_PATH, L"%ls.part", path);
  FILE *f = _wfopen(append ? path : part, append ? L"ab" : L"wb");
  if (!f) return FALSE;
  for (; list; list = list->next) {
    for (struct field *at = list->first; at; at = at->next) {
      put_utf8(f, at->key, '\t');
      put_utf8(f, at->value, '\n');
    }
    fputc('\n', f);
  }
  if (fclose(f)) return FALSE;
  return append || MoveFileExW(part, path, MOVEFILE_REPLACE_EXISTING);
}
