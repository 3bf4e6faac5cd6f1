#!/bin/bash
# Installs the Debian packages that the test bed needs. Harmless to run again;
# starts no service. Run as root; a machine without package lists needs
# `apt-get update` first.
set -euo pipefail

packages=(
  apt-utils debootstrap dpkg gnupg gpgconf          # archives, base systems
  systemd-container iproute2 util-linux mount       # devices and their network
  e2fsprogs tar zstd ca-certificates                # small disks, the cache
  flatpak bubblewrap                                # repositories of apps
  qemu-system-x86 busybox-static                    # computers: their kernel is fetched, not installed
  wine wine64 gcc-mingw-w64-x86-64                  # Windows devices
  wixl msitools nsis osslsigncode                   # installers for them, and their signatures
)

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "test bed: all packages are there"
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "test bed: missing packages: ${missing[*]}; run this as root to install them" >&2
  exit 1
fi

policy=/usr/sbin/policy-rc.d                        # asked before any service starts
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' > "$policy"
  chmod 755 "$policy"
fi
DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=600 "${missing[@]}"
