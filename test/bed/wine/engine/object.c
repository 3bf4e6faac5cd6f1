#include "engine.h"

static LONG alive;
static IDispatchVtbl dispatch;

struct object *object_new(const struct member *members, struct record *record) {
  struct object *o = calloc(1, sizeof *o);
  o->vtbl = &dispatch;
  o->refs = 1;
  o->members = members;
  o->record = record ? record : record_new();
  InterlockedIncrement(&alive);
  return o;
}

LONG objects_alive(void) { return alive; }

void object_hold(struct object *o) { InterlockedIncrement(&o->refs); }

static ULONG release(struct object *o) {
  LONG left = InterlockedDecrement(&o->refs);
  if (left) return left;
  for (int i = 0; i < o->count; i++) release(o->items[i]);
  if (o->updates) release(o->updates);
  record_drop(o->record);
  free(o->items);
  free(o);
  InterlockedDecrement(&alive);
  return 0;
}

void object_drop(struct object *o) { release(o); }

void object_append(struct object *collection, struct object *item) {
  if (!(collection->count & (collection->count + 1))) /* room for 1, 2, 4, … has run out */
    collection->items = realloc(collection->items, sizeof item * 2 * (collection->count + 1));
  collection->items[collection->count++] = item;
}

/* ---- IDispatch ---- */

static HRESULT STDMETHODCALLTYPE query(IDispatch *i, REFIID wanted, void **out) {
  *out = NULL;
  if (!IsEqualGUID(wanted, &IID_IUnknown) && !IsEqualGUID(wanted, &IID_IDispatch)) return E_NOINTERFACE;
  object_hold((struct object *)i);
  *out = i;
  return S_OK;
}

static ULONG STDMETHODCALLTYPE add_ref(IDispatch *i) { return InterlockedIncrement(&((struct object *)i)->refs); }
static ULONG STDMETHODCALLTYPE drop_ref(IDispatch *i) { return release((struct object *)i); }

static HRESULT STDMETHODCALLTYPE type_count(IDispatch *i, UINT *n) {
  *n = 0;
  return S_OK;
}

static HRESULT STDMETHODCALLTYPE type_info(IDispatch *i, UINT n, LCID locale, ITypeInfo **out) {
  *out = NULL;
  return E_NOTIMPL;
}

/* A member's number is its place in the list. Members of a driver are a driver's only. */
static HRESULT STDMETHODCALLTYPE ids_of_names(IDispatch *i, REFIID unused, LPOLESTR *names, UINT count, LCID locale, DISPID *ids) {
  struct object *o = (struct object *)i;
  ids[0] = DISPID_UNKNOWN;
  for (const struct member *m = o->members; m->name; m++) {
    if (_wcsicmp(m->name, names[0])) continue;
    if (m->key && !wcsncmp(m->key, L"driver.", 7) && !record_number(o->record, L"driver")) break;
    if (m->younger && record_number(o->record, L"old")) break;
    ids[0] = m - o->members + 1;
  }
  for (UINT n = 1; n < count; n++) ids[n] = DISPID_UNKNOWN;
  return ids[0] == DISPID_UNKNOWN || count > 1 ? DISP_E_UNKNOWNNAME : S_OK;
}

/* What an object says failed comes as an exception, as from a dual interface. */
static HRESULT STDMETHODCALLTYPE invoke(IDispatch *i, DISPID id, REFIID unused, LCID locale, WORD flags, DISPPARAMS *args, VARIANT *result,
                                        EXCEPINFO *exception, UINT *wrong) {
  struct object *o = (struct object *)i;
  VARIANT nobody;
  struct call c = {.put = flags & (DISPATCH_PROPERTYPUT | DISPATCH_PROPERTYPUTREF), .args = args, .result = result ? result : &nobody};
  DISPID n = 1;
  VariantInit(c.result);
  for (const struct member *m = o->members; m->name; m++, n++) {
    if (n != id) continue;
    HRESULT hr = m->answer(o, m, &c);
    if (!result) VariantClear(&nobody);
    if (SUCCEEDED(hr) || HRESULT_FACILITY(hr) == FACILITY_DISPATCH || !exception) return hr;
    memset(exception, 0, sizeof *exception);
    exception->scode = hr;
    exception->bstrSource = SysAllocString(L"stand-in");
    exception->bstrDescription = SysAllocString(L"the stand-in was told to fail");
    return DISP_E_EXCEPTION;
  }
  return DISP_E_MEMBERNOTFOUND;
}

static IDispatchVtbl dispatch = {query, add_ref, drop_ref, type_count, type_info, ids_of_names, invoke};

/* ---- arguments and answers ---- */

static VARIANT *argument(struct call *c, int n) {
  if (n >= (int)c->args->cArgs) return NULL;
  VARIANT *v = &c->args->rgvarg[c->args->cArgs - 1 - n];
  return V_VT(v) == (VT_VARIANT | VT_BYREF) ? V_VARIANTREF(v) : v;
}

struct object *argument_object(struct call *c, int n) {
  VARIANT *v = argument(c, n);
  if (!v || V_VT(v) != VT_DISPATCH) return NULL;
  struct object *o = (struct object *)V_DISPATCH(v);
  return o && o->vtbl == &dispatch ? o : NULL;
}

const WCHAR *argument_text(struct call *c, int n) {
  VARIANT *v = argument(c, n);
  return v && V_VT(v) == VT_BSTR && V_BSTR(v) ? V_BSTR(v) : L"";
}

LONG argument_number(struct call *c, int n) {
  VARIANT *v = argument(c, n), as;
  VariantInit(&as);
  return v && VariantChangeType(&as, v, 0, VT_I4) == S_OK ? V_I4(&as) : 0;
}

HRESULT give_object(struct call *c, struct object *o) {
  V_VT(c->result) = VT_DISPATCH;
  V_DISPATCH(c->result) = (IDispatch *)o;
  return S_OK;
}

HRESULT give_text(struct call *c, const WCHAR *text) {
  V_VT(c->result) = VT_BSTR;
  V_BSTR(c->result) = SysAllocString(text);
  return S_OK;
}

HRESULT give_number(struct call *c, LONG n) {
  V_VT(c->result) = VT_I4;
  V_I4(c->result) = n;
  return S_OK;
}

HRESULT give_flag(struct call *c, BOOL is) {
  V_VT(c->result) = VT_BOOL;
  V_BOOL(c->result) = is ? VARIANT_TRUE : VARIANT_FALSE;
  return S_OK;
}

HRESULT give_date(struct call *c, DATE d) {
  if (!d) return S_OK; /* empty */
  V_VT(c->result) = VT_DATE;
  V_DATE(c->result) = d;
  return S_OK;
}

HRESULT text(struct object *o, const struct member *m, struct call *c) { return give_text(c, record_text(o->record, m->key)); }
HRESULT number(struct object *o, const struct member *m, struct call *c) { return give_number(c, record_number(o->record, m->key)); }
HRESULT flag(struct object *o, const struct member *m, struct call *c) { return give_flag(c, record_number(o->record, m->key)); }
HRESULT date(struct object *o, const struct member *m, struct call *c) { return give_date(c, wcstod(record_text(o->record, m->key), NULL)); }

HRESULT kept_text(struct object *o, const struct member *m, struct call *c) {
  if (!c->put) return text(o, m, c);
  record_set(o->record, m->key, argument_text(c, 0));
  return S_OK;
}

HRESULT kept_flag(struct object *o, const struct member *m, struct call *c) {
  if (!c->put) return flag(o, m, c);
  record_set_number(o->record, m->key, !!argument_number(c, 0));
  return S_OK;
}

HRESULT updates(struct object *o, const struct member *m, struct call *c) {
  if (c->put) {
    struct object *given = argument_object(c, 0);
    if (!given || given->members != collection_members) return DISP_E_TYPEMISMATCH;
    object_hold(given);
    if (o->updates) object_drop(o->updates);
    o->updates = given;
    return S_OK;
  }
  if (!o->updates) o->updates = object_new(collection_members, NULL);
  object_hold(o->updates);
  return give_object(c, o->updates);
}

/* ---- collections: of objects, and of the texts that a record has under one key ---- */

static HRESULT item(struct object *o, const struct member *m, struct call *c) {
  LONG n = argument_number(c, 0);
  if (n < 0 || n >= o->count) return DISP_E_BADINDEX;
  object_hold(o->items[n]);
  return give_object(c, o->items[n]);
}

static HRESULT count(struct object *o, const struct member *m, struct call *c) { return give_number(c, o->count); }

static HRESULT append(struct object *o, const struct member *m, struct call *c) {
  struct object *given = argument_object(c, 0);
  if (!given || given->members != update_members) return DISP_E_TYPEMISMATCH;
  object_hold(given);
  object_append(o, given);
  return give_number(c, o->count - 1);
}

const struct member collection_members[] = {{L"Item", item}, {L"Count", count}, {L"Add", append}, {0}};

static HRESULT text_item(struct object *o, const struct member *m, struct call *c) {
  LONG n = argument_number(c, 0);
  const WCHAR *found = n < 0 ? NULL : record_nth(o->record, o->key, n);
  return found ? give_text(c, found) : DISP_E_BADINDEX;
}

static HRESULT text_count(struct object *o, const struct member *m, struct call *c) {
  LONG n = 0;
  while (record_nth(o->record, o->key, n)) n++;
  return give_number(c, n);
}

static const struct member texts_members[] = {{L"Item", text_item}, {L"Count", text_count}, {0}};

HRESULT list(struct object *o, const struct member *m, struct call *c) {
  struct object *l = object_new(texts_members, record_hold(o->record));
  l->key = m->key;
  return give_object(c, l);
}
