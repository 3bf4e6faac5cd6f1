/* Stands in for the program that repairs the component store: it writes down what it was asked,
   and makes the stand-in for the update engine have what the test put aside for after a repair. */
#include <windows.h>
#include <stdio.h>
#include <string.h>

int wmain(int count, WCHAR **args) {
  FILE *f = _wfopen(L"C:\\bed\\repairs", L"ab");
  if (!f) return 1;
  for (int n = 1; n < count; n++) fprintf(f, "%ls%c", args[n], n + 1 < count ? ' ' : '\n');
  if (fclose(f)) return 1;
  MoveFileExW(L"C:\\bed\\engine\\mended", L"C:\\bed\\engine\\offer", MOVEFILE_REPLACE_EXISTING); /* there may be none */
  return 0;
}
