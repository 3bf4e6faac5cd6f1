/* A stand-in for the update engine of a Windows: an in-process COM server under the real
   classes' names. What it offers and how it behaves stands in files of the test; it proves
   what we ask of an engine and in which order, not what Microsoft's does.

     record.c   files of records
     store.c    what is offered, in which state it is, what was done and asked
     object.c   objects that answer by the names of their members
     update.c   updates, their identities, categories and behaviours
     session.c  sessions, searching, history, how the engine is
     work.c     downloading, installing, removing, and what a restart completes
     main.c     the classes, and how they are registered */
#define COBJMACROS
#include <windows.h>
#include <oleauto.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

/* ---- records: lists of keys with values, several of which may share a key ---- */

struct record;
struct record *record_new(void);
struct record *record_hold(struct record *);
void record_drop(struct record *);                                            /* and those behind it */
struct record *record_next(struct record *);
void record_link(struct record **list, struct record *);                      /* to the end; the list holds it */
void record_unlink(struct record **list, struct record *);
void record_add(struct record *, const WCHAR *key, const WCHAR *value);
void record_set(struct record *, const WCHAR *key, const WCHAR *value);       /* "" takes it away */
void record_set_number(struct record *, const WCHAR *key, DWORD value);
void record_set_date(struct record *, const WCHAR *key, DATE value);
void record_overlay(struct record *to, const struct record *from);            /* sets all that from has */
const WCHAR *record_nth(const struct record *, const WCHAR *key, int n);      /* NULL behind the last */
const WCHAR *record_text(const struct record *, const WCHAR *key);            /* the first; "" where there is none */
DWORD record_number(const struct record *, const WCHAR *key);                 /* decimal, or 0x… */
struct record *records_read(const WCHAR *path);                               /* NULL where there are none */
BOOL records_write(const WCHAR *path, struct record *list, BOOL append);

/* ---- store ---- */

#define FOLDER L"C:\\bed\\engine\\"
struct record *store_engine(void);                                            /* how the engine is */
struct record *store_updates(void);                                           /* what it knows of, each with its state */
struct record *store_update(const WCHAR *id);
void store_change(const WCHAR *id, const struct record *change);              /* of an update's or "engine"'s state */
struct record *store_pending(void);                                           /* states that wait for a restart */
void store_called(const WCHAR *what, const WCHAR *client, const WCHAR *words);
void store_done(const struct record *update, const WCHAR *client, BOOL removal, int result, DWORD hresult);
struct record *store_history(void);                                           /* the oldest first */
BOOL store_busy(const struct record *engine, HANDLE *mine);                   /* somebody installs; else it is taken, where mine is given */
DATE now(void);

/* ---- objects ---- */

struct call { BOOL put; DISPPARAMS *args; VARIANT *result; };
struct object;
struct member {
  const WCHAR *name;
  HRESULT (*answer)(struct object *, const struct member *, struct call *);
  const WCHAR *key;     /* of the record, for those that read one */
  BOOL younger;         /* an old engine does not have it; the record says whether it is one */
};
struct object {
  IDispatchVtbl *vtbl;
  LONG refs;
  const struct member *members;
  struct record *record;
  const WCHAR *key;           /* of a list of texts: where in the record they are */
  struct object **items;      /* of a collection */
  int count;
  struct object *updates;     /* of what works on a collection, or found one */
};
struct object *object_new(const struct member *, struct record *); /* the record becomes the object's */
void object_hold(struct object *);
void object_drop(struct object *);
void object_append(struct object *collection, struct object *item); /* the item becomes the collection's */
LONG objects_alive(void);

HRESULT give_object(struct call *, struct object *); /* the caller's from then on */
HRESULT give_text(struct call *, const WCHAR *);
HRESULT give_number(struct call *, LONG);
HRESULT give_flag(struct call *, BOOL);
HRESULT give_date(struct call *, DATE); /* 0 is none */
struct object *argument_object(struct call *, int n);
const WCHAR *argument_text(struct call *, int n);
LONG argument_number(struct call *, int n);

/* Answers from the record, by the member's key; kept ones can be put as well. */
HRESULT text(struct object *, const struct member *, struct call *);
HRESULT number(struct object *, const struct member *, struct call *);
HRESULT flag(struct object *, const struct member *, struct call *);
HRESULT date(struct object *, const struct member *, struct call *);
HRESULT list(struct object *, const struct member *, struct call *);
HRESULT kept_text(struct object *, const struct member *, struct call *);
HRESULT kept_flag(struct object *, const struct member *, struct call *);
HRESULT updates(struct object *, const struct member *, struct call *);

extern const struct member collection_members[], update_members[], identity_members[];
extern const struct member downloader_members[], installer_members[];
extern const struct member session_members[], system_members[], automatic_members[], services_members[], client_members[];

struct object *update_object(struct record *);
void complete_after_restart(void);

/* The engine's numbers. */
enum { NOT_STARTED, IN_PROGRESS, SUCCEEDED, SUCCEEDED_WITH_ERRORS, NOT_DONE, ABORTED };
#define WU_E_OPERATIONINPROGRESS 0x80240009
#define WU_E_UNINSTALL_NOT_ALLOWED 0x80240028
#define WU_E_EULAS_DECLINED 0x80240023
#define WU_E_NO_UPDATE 0x80240024
#define WU_E_INVALID_CRITERIA 0x80240032
#define WU_E_DM_NOTDOWNLOADED 0x80246007
