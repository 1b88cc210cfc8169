//! How a server's line is changed and nginx made to work by it.

use std::fs::File;

use tidegate_core::ServerId;

use super::Nginx;
use super::files::Before;
use super::upstream::{Line, Upstream};
use super::workers::Workers;
use crate::adapters::program;
use crate::ports::{Order, PortError};

/// A change that nginx was told of.
struct Told {
    upstream: Upstream,
    /// Those that worked before.
    before: Workers,
}

impl Nginx {
    fn address(&self, server: ServerId) -> Result<&str, PortError> {
        let address = self.config.servers.get(server.index());
        let unknown = || PortError::refused(format!("no address is configured for {server}"));
        address.map(String::as_str).ok_or_else(unknown)
    }

    /// Makes a server's line be so and nginx work by it.
    pub(super) async fn change(
        &self,
        order: &Order,
        wanted: impl Fn(Line) -> Line,
    ) -> Result<(), PortError> {
        self.fence.enter(order.server, order.generation)?;
        let _turn = self.turn.lock().await;
        let Some(told) = self.begin(order, wanted).await? else { return Ok(()) };
        let address = self.address(order.server)?;
        while !Workers::look(&self.config.pid)?.have_replaced(&told.before) {
            let overdue = "it was reloaded and goes on as before: see its error log";
            self.fence.pause(order, &*self.clock, overdue).await?;
            self.fence.enter_after(order, self.files.read()?.line(address)?.generation)?;
        }
        let _held = self.lock(order).await?;
        // Another order may have changed another line since, which is not in force yet.
        if self.files.read()? == told.upstream {
            self.files.forget_before()?;
        }
        Ok(())
    }

    /// Writes the change and tells nginx of it, or nothing if it is so already.
    async fn begin(
        &self,
        order: &Order,
        wanted: impl Fn(Line) -> Line,
    ) -> Result<Option<Told>, PortError> {
        let address = self.address(order.server)?;
        let _held = self.lock(order).await?;
        let file = self.files.read()?;
        let line = file.line(address)?;
        self.fence.enter_after(order, line.generation)?;
        let workers = Workers::look(&self.config.pid)?;
        let next = Line { generation: Some(order.generation), ..wanted(line) };
        let upstream = file.with(address, next);
        let is_pending = self.files.before()?.is_some();
        let is_so = Line { generation: line.generation, ..next } == line;
        if is_so && !is_pending {
            // The fence alone is no reason for nginx to read it.
            return self.files.write(&upstream).map(|()| None);
        }
        if !is_pending {
            self.files.keep(&Before { workers: workers.all, upstream: file.clone() })?;
        }
        self.files.write(&upstream)?;
        if let Err(why) = self.check().await {
            self.files.write(&file)?;
            if !is_pending {
                self.files.forget_before()?;
            }
            return Err(why);
        }
        let before = Workers::look(&self.config.pid)?;
        program::run(&self.config.reload).await?;
        Ok(Some(Told { upstream, before }))
    }

    /// Whether nginx takes its configuration as it is now.
    async fn check(&self) -> Result<(), PortError> {
        let ended = program::ended(&self.config.test, "").await?;
        if ended.status.success() {
            return Ok(());
        }
        let errors = String::from_utf8_lossy(&ended.stderr);
        let said = errors.lines().find(|line| line.contains("[emerg]")).or(errors.lines().last());
        Err(PortError::refused(format!(
            "nginx does not take its configuration, so that the upstream file is as before and \
             nothing was reloaded: {}",
            said.unwrap_or_default()
        )))
    }

    /// Waits until nobody else changes the files, unless a later order comes.
    async fn lock(&self, order: &Order) -> Result<File, PortError> {
        self.files.0.lock(order, &self.fence, &*self.clock).await
    }
}
