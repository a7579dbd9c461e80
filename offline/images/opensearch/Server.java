import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.codelibs.opensearch.runner.OpenSearchRunner;

/** Runs one OpenSearch node. Every environment variable whose name has a dot in it is a setting, as in the official image. */
public final class Server {
  private static final Predicate<String> SETTING = Pattern.compile("[a-z0-9_]+(\\.[a-z0-9_]+)+").asMatchPredicate();

  public static void main(String[] arguments) throws Exception {
    OpenSearchRunner runner = new OpenSearchRunner();
    runner.onBuild((number, settings) -> {
      settings.put("node.name", System.getenv().getOrDefault("HOSTNAME", "opensearch"));
      // the runner's own default has no ingest pipelines
      settings.putList("node.roles", "cluster_manager", "data", "ingest", "remote_cluster_client");
      System.getenv().forEach((name, value) -> {
        if (SETTING.test(name)) {
          settings.put(name, value);
        }
      });
    });
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try {
        runner.close();
      } catch (Exception error) {
        error.printStackTrace();
      }
    }));
    runner.build(arguments);
    Thread.currentThread().join();
  }
}
