/* The one function of bcryptprimitives.dll that Go programs ask for; wine 8 has no such file. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID, ULONG); /* RtlGenRandom, in advapi32 */

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) {
  const SIZE_T most = 1 << 20;
  for (SIZE_T done = 0, n; done < size; done += n) {
    n = size - done < most ? size - done : most;
    if (!SystemFunction036(data + done, (ULONG)n)) return FALSE;
  }
  return TRUE;
}
