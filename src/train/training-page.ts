/** The page of loss curves draws with packages that not every installation has (docs/packages.md). */
import { loadOptional } from '../files/optional-packages.js';

/** @throws CraneError E_DEPENDENCY */
export function trainingPage(): Promise<typeof import('../pages/training/report-page.js')> {
  return loadOptional('learning prompts', ['d3-scale'], () => import('../pages/training/report-page.js'));
}
