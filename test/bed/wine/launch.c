/* launch RESULT PROGRAM ARGUMENT...   Runs the program with exactly the rest of this command
   line and writes its whole exit code into RESULT: seen from Linux, only eight bits are left. */
#include <windows.h>
#include <stdio.h>

/* skip is the command line behind its first argument: quoted, or up to a space. */
static wchar_t *skip(wchar_t *p) {
  int quoted = 0;
  for (; *p && (quoted || (*p != L' ' && *p != L'\t')); p++)
    if (*p == L'"') quoted = !quoted;
  while (*p == L' ' || *p == L'\t') p++;
  return p;
}

int wmain(int argc, wchar_t **argv) {
  STARTUPINFOW start = {.cb = sizeof start};
  PROCESS_INFORMATION process;
  DWORD code = 0;
  FILE *result;
  if (argc < 3 || !(result = _wfopen(argv[1], L"wb"))) return 126; /* there from now on: we did begin */
  if (!CreateProcessW(NULL, skip(skip(GetCommandLineW())), NULL, NULL, TRUE, 0, NULL, NULL, &start, &process)) {
    DWORD error = GetLastError();
    fwprintf(stderr, L"launch: %ls: error %lu\n", argv[2], error);
    fclose(result);
    if (error == ERROR_INTERNAL_ERROR) _wremove(argv[1]); /* wine gave up on a busy machine: nothing began */
    return 127;
  }
  WaitForSingleObject(process.hProcess, INFINITE);
  GetExitCodeProcess(process.hProcess, &code);
  fprintf(result, "%lu", code);
  return fclose(result) ? 126 : 0;
}
