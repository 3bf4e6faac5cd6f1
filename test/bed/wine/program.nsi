; One version of a program, as NSIS installs it. Defined from outside: OUT, VERSION, FAULT
; (none, code, lie, hang, crash), CODE, USER (per user) and NAME.
Unicode true
Name "${NAME}"
OutFile "${OUT}"
!ifdef USER
  RequestExecutionLevel user
  InstallDir "$LOCALAPPDATA\Programs\${NAME}"
  !define ROOT HKCU
!else
  RequestExecutionLevel admin
  InstallDir "$PROGRAMFILES64\${NAME}"
  !define ROOT HKLM
!endif
!define ENTRY "Software\Microsoft\Windows\CurrentVersion\Uninstall\${NAME}"

Section
  SetRegView 64
  !if "${FAULT}" == "lie"
    Return
  !endif
  SetOutPath $INSTDIR
  FileOpen $0 "$INSTDIR\version.txt" w
  FileWrite $0 "${VERSION}"
  FileClose $0
  !if "${FAULT}" == "hang"
    FileOpen $0 "C:\bed\started" w
    FileClose $0
    waiting:
      IfFileExists "C:\bed\go-on" released
      Sleep 50
      Goto waiting
    released:
  !endif
  !if "${FAULT}" == "crash"
    System::Call "kernel32::TerminateProcess(p -1, i 0xC0000005)"
  !endif
  WriteUninstaller "$INSTDIR\uninstall.exe"
  WriteRegStr ${ROOT} "${ENTRY}" DisplayName "${NAME} ${VERSION}"
  WriteRegStr ${ROOT} "${ENTRY}" DisplayVersion "${VERSION}"
  WriteRegStr ${ROOT} "${ENTRY}" Publisher "Bed Works"
  WriteRegStr ${ROOT} "${ENTRY}" InstallLocation "$INSTDIR"
  WriteRegStr ${ROOT} "${ENTRY}" UninstallString '"$INSTDIR\uninstall.exe"'
  WriteRegStr ${ROOT} "${ENTRY}" QuietUninstallString '"$INSTDIR\uninstall.exe" /S'
  !if "${FAULT}" == "code"
    SetErrorLevel ${CODE}
  !endif
SectionEnd

Section "un.all"
  SetRegView 64
  Delete "$INSTDIR\version.txt"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  DeleteRegKey ${ROOT} "${ENTRY}"
SectionEnd
