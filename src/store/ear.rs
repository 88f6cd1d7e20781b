//! Hearing at once of a write to a store's files, where the system tells of it.

#[cfg(target_os = "linux")]
pub use told::Ear;
#[cfg(not(target_os = "linux"))]
pub use untold::Ear;

#[cfg(target_os = "linux")]
mod told {
    use std::ffi::OsString;
    use std::mem::MaybeUninit;
    use std::os::fd::OwnedFd;
    use std::os::unix::ffi::OsStrExt;
    use std::path::{Path, PathBuf};

    use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
    use tokio::io::unix::AsyncFd;

    /// Several events fit in.
    const ROOM: usize = 4096;

    /// Hears of writes to some files of one folder.
    #[derive(Debug)]
    pub struct Ear {
        events: AsyncFd<OwnedFd>,
        names: Vec<OsString>,
    }

    impl Ear {
        /// None where the system does not tell, or not of this folder.
        pub fn to(files: &[PathBuf]) -> Option<Self> {
            let folder = files.first()?.parent().filter(|path| *path != Path::new(""))?;
            let events = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok()?;
            // A log comes and goes with those who use it, so the folder is watched.
            let writes = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_TO;
            inotify::add_watch(&events, folder, writes | WatchFlags::DELETE).ok()?;
            let names = files.iter().filter_map(|file| file.file_name()).map(Into::into).collect();
            #[expect(
                deprecated,
                reason = "its successor is unsafe; an `OwnedFd` stays open as it asks"
            )]
            let events = AsyncFd::new(events).ok()?;
            Some(Self { events, names })
        }

        /// Waits for the next write. Nothing is lost where the wait is given up. False: no more is
        /// told.
        pub(in crate::store) async fn hear(&self) -> bool {
            loop {
                let Ok(mut ready) = self.events.readable().await else { return false };
                if self.is_told() {
                    return true;
                }
                ready.clear_ready();
            }
        }

        /// Takes what has been told so far; whether it was of these files.
        fn is_told(&self) -> bool {
            let mut room = [const { MaybeUninit::uninit() }; ROOM];
            let mut events = Reader::new(&self.events, &mut room);
            let mut told = false;
            while let Ok(event) = events.next() {
                let ours = event.file_name().is_some_and(|name| {
                    self.names.iter().any(|ours| ours.as_bytes() == name.to_bytes())
                });
                told |= ours || event.events().contains(ReadFlags::QUEUE_OVERFLOW);
            }
            told
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod untold {
    use std::path::PathBuf;

    /// There is none.
    #[derive(Debug)]
    pub enum Ear {}

    impl Ear {
        /// None.
        pub fn to(_: &[PathBuf]) -> Option<Self> {
            None
        }

        /// Nothing is heard.
        pub(in crate::store) async fn hear(&self) -> bool {
            false
        }
    }
}
