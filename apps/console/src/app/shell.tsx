import {
  Masthead,
  MastheadBrand,
  MastheadContent,
  MastheadLogo,
  MastheadMain,
  MastheadToggle,
  Nav,
  NavItem,
  NavList,
  Page,
  PageSidebar,
  PageSidebarBody,
  PageToggleButton,
  SkipToContent,
  Toolbar,
  ToolbarContent,
  ToolbarGroup,
} from '@patternfly/react-core';
import { Link, Outlet, useLocation } from 'react-router';
import { OutcomeToasts } from '../outcomes/outcome-toasts.js';
import { ConnectionBanner } from './connection-banner.js';
import iconUrl from './icon.svg';
import { ThemeMenu } from './theme-menu.js';
import { UserMenu } from './user-menu.js';

const mainId = 'main';
const places = [
  { to: '/vms', title: 'Virtual machines' },
  { to: '/events', title: 'Events' },
  { to: '/operations', title: 'Operations' },
  { to: '/gateway', title: 'Gateway' },
];

/** What stands around every page. */
export function Shell() {
  return (
    <Page
      masthead={<Head />}
      sidebar={<Side />}
      mainContainerId={mainId}
      mainAriaLabel="Content"
      isManagedSidebar
      isContentFilled
      skipToContent={<SkipToContent href={`#${mainId}`}>Skip to content</SkipToContent>}
    >
      <ConnectionBanner />
      <Outlet />
      <OutcomeToasts />
    </Page>
  );
}

function Head() {
  return (
    <Masthead>
      <MastheadMain>
        <MastheadToggle>
          <PageToggleButton isHamburgerButton aria-label="Navigation" />
        </MastheadToggle>
        <MastheadBrand>
          <MastheadLogo component={(props) => <Link {...props} to="/vms" />} className="qg-brand">
            <img src={iconUrl} alt="" width={28} height={28} />
            <span>QMP gateway</span>
          </MastheadLogo>
        </MastheadBrand>
      </MastheadMain>
      <MastheadContent>
        <Toolbar isStatic>
          <ToolbarContent>
            <ToolbarGroup align={{ default: 'alignEnd' }} gap={{ default: 'gapSm' }}>
              <ThemeMenu />
              <UserMenu />
            </ToolbarGroup>
          </ToolbarContent>
        </Toolbar>
      </MastheadContent>
    </Masthead>
  );
}

function Side() {
  const { pathname } = useLocation();
  return (
    <PageSidebar>
      <PageSidebarBody>
        <Nav aria-label="Places">
          <NavList>
            {places.map(({ to, title }) => (
              <NavItem key={to} isActive={pathname.startsWith(to)}>
                <Link to={to}>{title}</Link>
              </NavItem>
            ))}
          </NavList>
        </Nav>
      </PageSidebarBody>
    </PageSidebar>
  );
}
