package workers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Agents of one host share memory that has no name: one of them, the keeper, makes it and hands its file descriptors
// to the others over a socket at an abstract address, which is gone with the keeper. Both ends ask the kernel whether
// the other belongs to the same user.

// handoverTime bounds how long the others may keep each other waiting.
const handoverTime = 15 * time.Second

// handOver gives the files to so many others. It returns when all have them, or ctx ends.
func handOver(ctx context.Context, listener *net.UnixListener, files []*os.File, mates int) error {
	stop := context.AfterFunc(ctx, func() { listener.Close() })
	defer stop()
	defer listener.Close()
	listener.SetDeadline(time.Now().Add(handoverTime))
	for mates > 0 {
		conn, err := listener.AcceptUnix()
		if err != nil {
			return fmt.Errorf("handing over the shared memory: %w", err)
		}
		err = give(conn, files)
		conn.Close()
		if err == nil {
			mates--
		}
	}
	return nil
}

// give sends the files one by one: the kernel limits how many go at once.
func give(conn *net.UnixConn, files []*os.File) error {
	if err := sameUser(conn); err != nil {
		return err
	}
	conn.SetDeadline(time.Now().Add(handoverTime))
	for _, f := range files {
		if _, _, err := conn.WriteMsgUnix([]byte{1}, unix.UnixRights(int(f.Fd())), nil); err != nil {
			return err
		}
	}
	var taken [1]byte
	_, err := conn.Read(taken[:])
	return err
}

// takeOver gets so many files from the keeper, for which it waits a while.
func takeOver(ctx context.Context, address string, count int) ([]*os.File, error) {
	ctx, cancel := context.WithTimeout(ctx, handoverTime)
	defer cancel()
	for {
		conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: address, Net: "unixpacket"})
		if err == nil {
			files, err := take(conn, count)
			conn.Close()
			if err != nil {
				err = fmt.Errorf("taking over the shared memory: %w", err)
			}
			return files, err
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return nil, fmt.Errorf("taking over the shared memory: %w", err)
		}
	}
}

func take(conn *net.UnixConn, count int) (files []*os.File, err error) {
	defer func() {
		if err != nil {
			closeAll(files)
		}
	}()
	if err := sameUser(conn); err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(handoverTime))
	for range count {
		var mark [1]byte
		rights := make([]byte, unix.CmsgSpace(4))
		_, n, _, _, err := conn.ReadMsgUnix(mark[:], rights)
		if err != nil {
			return files, err
		}
		fd, err := descriptor(rights[:n])
		if err != nil {
			return files, err
		}
		unix.CloseOnExec(fd)
		files = append(files, os.NewFile(uintptr(fd), "shared"))
	}
	_, err = conn.Write([]byte{1})
	return files, err
}

// descriptor is the one file descriptor in a control message.
func descriptor(rights []byte) (int, error) {
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil || len(messages) != 1 {
		return 0, errors.Join(errors.New("no file in a message that should bring one"), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return 0, errors.Join(errors.New("no file in a message that should bring one"), err)
	}
	return fds[0], nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// sameUser refuses another user's process at the other end.
func sameUser(conn *net.UnixConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var peer *unix.Ucred
	var failure error
	err = raw.Control(func(fd uintptr) {
		peer, failure = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err = errors.Join(err, failure); err != nil {
		return err
	}
	if int(peer.Uid) != os.Geteuid() {
		return fmt.Errorf("process %d is another user's", peer.Pid)
	}
	return nil
}
