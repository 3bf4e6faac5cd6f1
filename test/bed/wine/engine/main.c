#include "engine.h"

/* The classes, under the identities that Windows gives them. */
static const struct class { const WCHAR *clsid, *name; const struct member *members; } classes[] = {
    {L"{4CB43D7F-7EEE-4906-8698-60DA1C38F2FE}", L"Microsoft.Update.Session", session_members},
    {L"{13639463-00DB-4646-803D-528026140D88}", L"Microsoft.Update.UpdateColl", collection_members},
    {L"{C01B9BA0-BEA7-41BA-B604-D0A36F469133}", L"Microsoft.Update.SystemInfo", system_members},
    {L"{BFE18E9C-6D87-4450-B37C-E02F0B373803}", L"Microsoft.Update.AutoUpdate", automatic_members},
    {L"{F8D253D9-89A4-4DAA-87B6-1168369F0B21}", L"Microsoft.Update.ServiceManager", services_members},
    {L"{C2E88C2F-6F5B-4AAA-894B-55C847AD3A2D}", L"Microsoft.Update.AgentInfo", client_members},
};
enum { CLASSES = sizeof classes / sizeof *classes };

struct factory { IClassFactoryVtbl *vtbl; const struct class *class; };

static HRESULT STDMETHODCALLTYPE query(IClassFactory *i, REFIID wanted, void **out) {
  *out = IsEqualGUID(wanted, &IID_IUnknown) || IsEqualGUID(wanted, &IID_IClassFactory) ? i : NULL;
  return *out ? S_OK : E_NOINTERFACE;
}

static ULONG STDMETHODCALLTYPE count(IClassFactory *i) { return 2; } /* they live as long as the library */

static HRESULT STDMETHODCALLTYPE create(IClassFactory *i, IUnknown *outer, REFIID wanted, void **out) {
  *out = NULL;
  if (outer) return CLASS_E_NOAGGREGATION;
  struct object *o = object_new(((struct factory *)i)->class->members, NULL);
  HRESULT hr = IUnknown_QueryInterface((IUnknown *)o, wanted, out);
  object_drop(o);
  return hr;
}

static HRESULT STDMETHODCALLTYPE lock(IClassFactory *i, BOOL on) { return S_OK; }

static IClassFactoryVtbl factory = {query, count, count, create, lock};
static struct factory factories[CLASSES];

__declspec(dllexport) HRESULT WINAPI DllGetClassObject(REFCLSID wanted, REFIID as, void **out) {
  *out = NULL;
  for (int n = 0; n < CLASSES; n++) {
    CLSID id;
    if (FAILED(CLSIDFromString(classes[n].clsid, &id)) || !IsEqualGUID(&id, wanted)) continue;
    factories[n] = (struct factory){&factory, &classes[n]};
    return query((IClassFactory *)&factories[n], as, out);
  }
  return CLASS_E_CLASSNOTAVAILABLE;
}

__declspec(dllexport) HRESULT WINAPI DllCanUnloadNow(void) { return S_FALSE; }

static LSTATUS put(const WCHAR *path, const WCHAR *name, const WCHAR *text) {
  return RegSetKeyValueW(HKEY_LOCAL_MACHINE, path, name, REG_SZ, text, (wcslen(text) + 1) * sizeof *text);
}

__declspec(dllexport) HRESULT WINAPI DllRegisterServer(void) {
  LSTATUS bad = 0;
  for (int n = 0; n < CLASSES; n++) {
    WCHAR path[200];
    swprintf(path, 200, L"SOFTWARE\\Classes\\%ls\\CLSID", classes[n].name);
    bad |= put(path, NULL, classes[n].clsid);
    swprintf(path, 200, L"SOFTWARE\\Classes\\CLSID\\%ls\\InprocServer32", classes[n].clsid);
    bad |= put(path, NULL, L"C:\\bed\\engine.dll") | put(path, L"ThreadingModel", L"Both");
  }
  return bad ? E_FAIL : S_OK;
}

/* CompleteAfterRestart is what rundll32 calls when Windows starts. */
__declspec(dllexport) void CALLBACK CompleteAfterRestart(HWND window, HINSTANCE self, LPSTR line, int show) { complete_after_restart(); }

/* What whoever asked has not given back is written down. */
BOOL WINAPI DllMain(HINSTANCE self, DWORD why, void *unused) {
  WCHAR words[16];
  swprintf(words, 16, L"%ld", objects_alive());
  if (why == DLL_PROCESS_DETACH && objects_alive()) store_called(L"left", L"", words);
  return TRUE;
}
