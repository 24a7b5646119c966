package history

import (
	"slices"

	"golang.org/x/sys/unix"
)

// localFileSystems are those whose shared memory works between all processes that can open a file, as all of them run
// on one kernel: ext2 to ext4, XFS, Btrfs, tmpfs, ramfs, F2FS, ZFS, bcachefs, and overlayfs, which containers use. The
// numbers are of linux/magic.h and of the file systems' own sources. Whatever is not here (NFS, Lustre, GPFS, BeeGFS,
// CephFS, SMB, 9p, everything in user space) is taken for a network's.
var localFileSystems = []int64{unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.TMPFS_MAGIC, unix.RAMFS_MAGIC,
	unix.F2FS_SUPER_MAGIC, 0x2fc12fc1, 0xca451a4e, unix.OVERLAYFS_SUPER_MAGIC}

// local says whether a folder is on a file system of this machine alone.
func local(folder string) bool {
	var fs unix.Statfs_t
	return unix.Statfs(folder, &fs) == nil && isLocal(int64(fs.Type))
}

func isLocal(kind int64) bool { return slices.Contains(localFileSystems, kind&0xffffffff) }
