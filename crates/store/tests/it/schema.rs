use crate::harness::on_both;

on_both! {
    async fn every_statement_is_prepared(site) {
        let count = site.store.check().await?;
        assert!(count > 90, "{count} statements");
        Ok(())
    }

    async fn a_second_start_finds_nothing_to_migrate(site) {
        if site.config.postgres.is_some() {
            let nodes = futures_util::future::join(
                portico_store::Store::open(&site.config),
                portico_store::Store::open(&site.config),
            );
            let (one, other) = nodes.await;
            one?.close().await;
            other?.close().await;
        } else {
            site.store.close().await;
            portico_store::Store::open(&site.config).await?.close().await;
        }
        Ok(())
    }
}
